"""Pages about contacts: the list, one of them, its forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.audiences import queries as audiences
from envoi.console.access import SignedInRequest, requires
from envoi.console.contacts.forms import ContactForm, FieldForm
from envoi.console.contacts.search import Search
from envoi.contacts import queries
from envoi.contacts.actions import contacts, fields, suppressions
from envoi.contacts.models import Contact, FieldDefinition, Suppression
from envoi.contacts.values import TEXT_FIELDS
from envoi.core import csv_export
from envoi.core.pagination import paginate

PAGE = 50
COLUMNS = (
    ("name", gettext_lazy("Name")),
    ("address", gettext_lazy("E-mail address")),
    ("organisation", gettext_lazy("Organisation")),
    ("added", gettext_lazy("Added")),
)


@requires(Permission.VIEW)
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    """Contacts, searched as one types: htmx asks for the table alone."""
    search = Search.read(request.GET)
    page = paginate(search.results(), search.order, request.GET.get("cursor", ""), PAGE)
    context = {
        "search": search,
        "page": page,
        "suppressed": audiences.suppressed_on(page.rows),
        "sorting": _sorting(search),
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
        "may_export": may(request.user, Permission.EXPORT),
    }
    if request.headers.get("HX-Target") == "results":
        return render(request, "console/contacts/_results.html", context | {"lists": audiences.active_lists()[:200]})
    context |= {"filters": search.filters(), "lists": audiences.active_lists()[:200]}
    return render(request, "console/contacts/list.html", context)


def _sorting(search: Search) -> list[dict[str, object]]:
    """The columns that sort, each with the sort its heading leads to."""
    return [
        {
            "name": name,
            "label": label,
            "sort": f"-{name}" if search.sort == name else name,
            "now": "ascending" if search.sort == name else "descending" if search.sort == f"-{name}" else "",
        }
        for name, label in COLUMNS
    ]


@requires(Permission.VIEW)
@require_safe
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """One contact: fields, memberships, lists, and whether it may be mailed."""
    contact = get_object_or_404(Contact, pk=pk)
    labels = {row.key: row for row in queries.further_fields()}
    context = {
        "contact": contact,
        "own": [
            (Contact._meta.get_field(name).verbose_name, getattr(contact, name))  # type: ignore[union-attr]
            for name in TEXT_FIELDS
            if name not in {"first_name", "last_name"}
        ],
        "further": [(labels[key].label if key in labels else key, value) for key, value in contact.fields.items()],
        "subscriptions": audiences.subscriptions_of(contact),
        "memberships": audiences.memberships_of(contact),
        "suppression": queries.suppression_of(contact),
        "others": queries.same_address(contact),
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
    }
    return render(request, "console/contacts/show.html", context)


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = _accepted(form, None, request)
        if made:
            messages.success(request, _("%(name)s was added.") % {"name": made})
            return redirect("contacts:show", pk=made.pk)
    return render(request, "console/contacts/form.html", {"form": form})


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=pk)
    form = ContactForm(request.POST or None, contact=contact)
    if request.method == "POST" and form.is_valid() and _accepted(form, contact, request):
        messages.success(request, _("Saved."))
        return redirect("contacts:show", pk=pk)
    return render(request, "console/contacts/form.html", {"form": form, "contact": Contact.objects.get(pk=pk)})


def _accepted(form: ContactForm, contact: Contact | None, request: SignedInRequest) -> Contact | None:
    """The saved contact; None when a value was refused, which then stands at its field."""
    values = dict(form.cleaned_data)
    try:
        if contact:
            return contacts.update(contact, values, actor=request.user)
        return contacts.create(values, kind=values.pop("kind"), actor=request.user)
    except contacts.WrongValue as error:
        form.add_error(error.field, str(error))
    except contacts.ContactExists as error:
        form.add_error("address", str(error))
    return None


@requires(Permission.EDIT_CONTACTS)
@require_POST
def deletion(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=pk)
    contacts.delete(contact, actor=request.user)
    messages.success(request, _("%(name)s was deleted.") % {"name": contact})
    return redirect("contacts:list")


@requires(Permission.EDIT_CONTACTS)
@require_POST
def suppression(request: SignedInRequest, pk: int) -> HttpResponse:
    """Never mail this contact's address again."""
    contact = get_object_or_404(Contact, pk=pk)
    suppressions.suppress(contact.address, Suppression.Reason.MANUAL, actor=request.user)
    messages.success(request, _("%(address)s will not be mailed any more.") % {"address": contact.address})
    return redirect("contacts:show", pk=pk)


@requires(Permission.EXPORT)
@require_safe
def export(request: SignedInRequest) -> HttpResponseBase:
    """The search as a file, written while it is read."""
    search = Search.read(request.GET)
    definitions = queries.further_fields()
    header = ["kind", "email", *TEXT_FIELDS, *(row.key for row in definitions), "added"]
    rows = search.results().order_by(*search.order).iterator(chunk_size=2000)
    return csv_export.response("contacts.csv", header, _export_rows(rows, definitions))


def _export_rows(rows: Iterable[Contact], definitions: list[FieldDefinition]) -> Iterator[list[object]]:
    for row in rows:
        own = [getattr(row, name) for name in TEXT_FIELDS]
        further = [row.fields.get(definition.key, "") for definition in definitions]
        yield [row.kind, row.address, *own, *further, row.created_at.isoformat(timespec="seconds")]


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def further_fields(request: SignedInRequest) -> HttpResponse:
    """The further fields of this installation, and a new one."""
    form = FieldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = fields.add(form.cleaned_data["label"], form.cleaned_data["type"], actor=request.user)
        messages.success(request, _("The field %(name)s was added.") % {"name": made})
        return redirect("contacts:fields")
    return render(request, "console/contacts/fields.html", {"form": form, "rows": queries.further_fields()})
