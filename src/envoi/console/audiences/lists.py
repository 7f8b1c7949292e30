"""Pages about lists."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.audiences import queries
from envoi.audiences.actions import lists
from envoi.audiences.models import List, Subscription
from envoi.console.access import SignedInRequest, requires
from envoi.console.audiences.forms import ListForm, MembersForm
from envoi.console.contacts.selection import tell_added, ticked, with_undo
from envoi.contacts.queries import by_ids
from envoi.core.pagination import paginate


@requires(Permission.VIEW)
@require_safe
def targets(request: SignedInRequest) -> JsonResponse:
    """What a person may mean who types `q`: lists, products, contacts (`kind`, several times)."""
    kinds = [kind for kind in request.GET.getlist("kind") if kind in queries.KINDS] or queries.KINDS
    found = queries.search_targets(request.GET.get("q", "").replace("\x00", "")[:200], kinds)
    return JsonResponse({"results": [{"id": row.id, "text": row.text, "detail": row.detail} for row in found]})


@requires(Permission.VIEW)
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    q, archived = request.GET.get("q", "").replace("\x00", "")[:150], request.GET.get("archived") == "yes"
    page = paginate(queries.search_lists(q, archived=archived), ("name", "id"), request.GET.get("cursor", ""))
    counts = queries.list_counts([row.pk for row in page.rows])
    context = {
        "rows": [(row, counts[row.pk]) for row in page.rows],
        "page": page,
        "q": q,
        "archived": archived,
        "filters": [
            {
                "name": "archived",
                "label": _("In use"),
                "choices": [("yes", _("Archived"))],
                "value": "yes" if archived else "",
            },
        ],
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
    }
    return render(request, "console/audiences/lists.html", context)


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = lists.create(**form.cleaned_data, actor=request.user)
        except lists.NameTaken as error:
            form.add_error("name", str(error))
        else:
            return redirect("audiences:list", pk=made.pk)
    return render(request, "console/audiences/list_form.html", {"form": form})


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    target = get_object_or_404(List, pk=pk)
    form = ListForm(request.POST or None, initial={"name": target.name, "description": target.description})
    if request.method == "POST" and form.is_valid():
        try:
            lists.change(target, **form.cleaned_data, actor=request.user)
        except lists.NameTaken as error:
            form.add_error("name", str(error))
        else:
            return redirect("audiences:list", pk=pk)
    return render(request, "console/audiences/list_form.html", {"form": form, "list": target})


@requires(Permission.VIEW)
@require_safe
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """A list with its members: searched, filtered, a page at a time."""
    target = get_object_or_404(List, pk=pk)
    q, status = request.GET.get("q", "").replace("\x00", "")[:200], request.GET.get("status", "")
    status = status if status in Subscription.Status.values else ""
    members = queries.members(target, q, status)
    page = paginate(members, ("-created_at", "-id"), request.GET.get("cursor", ""))
    context = {
        "list": target,
        "counts": queries.list_counts([pk])[pk],
        "page": page,
        "suppressed": queries.suppressed_on(row.contact for row in page.rows),
        "q": q,
        "narrowed": bool(q or status),
        "filters": [
            {"name": "status", "label": _("Any status"), "choices": Subscription.Status.choices, "value": status}
        ],
        "form": MembersForm(),
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
    }
    return render(request, "console/audiences/list.html", context)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def members(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put contacts on the list: those found by typing, or those an undo names."""
    target, form = get_object_or_404(List, pk=pk), MembersForm(request.POST)
    ids = [*(form.cleaned_data["people"] if form.is_valid() else ()), *ticked(request.POST.getlist("contact"))]
    if ids:
        tell_added(request, target, by_ids(ids))
    else:
        messages.warning(request, _("Choose at least one contact."))
    return redirect("audiences:list", pk=pk)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take contacts off the list. Only confirmed ones can be put back by a click: others never agreed."""
    target, people = get_object_or_404(List, pk=pk), by_ids(ticked(request.POST.getlist("contact")))
    confirmed = target.subscriptions.filter(status=Subscription.Status.CONFIRMED, contact__in=people)
    ids = list(confirmed.values_list("contact", flat=True))
    count = lists.remove(target, people, actor=request.user)
    text = ngettext(
        "%(count)d contact was taken off “%(list)s”.", "%(count)d contacts were taken off “%(list)s”.", count
    ) % {"count": count, "list": target}
    if ids:
        with_undo(request, text, reverse("audiences:list-members", args=[pk]), ids)
    else:
        messages.success(request, text)
    return redirect("audiences:list", pk=pk)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def archive(request: SignedInRequest, pk: int) -> HttpResponse:
    target = get_object_or_404(List, pk=pk)
    lists.archive(target, actor=request.user)
    text = _("“%(name)s” was archived.") % {"name": target}
    with_undo(request, text, reverse("audiences:list-restoration", args=[pk]), ())
    return redirect("audiences:lists")


@requires(Permission.EDIT_CONTACTS)
@require_POST
def restoration(request: SignedInRequest, pk: int) -> HttpResponse:
    target = get_object_or_404(List, pk=pk)
    lists.restore(target, actor=request.user)
    messages.success(request, _("“%(name)s” is in use again.") % {"name": target})
    return redirect("audiences:list", pk=pk)
