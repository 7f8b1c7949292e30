"""Pages about products and who holds them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.audiences import queries
from envoi.audiences.actions import products
from envoi.audiences.actions.lists import NameTaken
from envoi.audiences.models import Membership, Product
from envoi.console.access import SignedInRequest, requires
from envoi.console.audiences.forms import MembershipForm, MembershipsForm, ProductForm
from envoi.console.contacts.selection import ticked, with_undo
from envoi.contacts.queries import by_ids
from envoi.core.pagination import paginate


@requires(Permission.VIEW)
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    q, archived = request.GET.get("q", "").replace("\x00", "")[:150], request.GET.get("archived") == "yes"
    page = paginate(queries.search_products(q, archived=archived), ("name", "id"), request.GET.get("cursor", ""))
    counts = queries.product_counts([row.pk for row in page.rows])
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
    return render(request, "console/audiences/products.html", context)


def _values(form: ProductForm) -> dict[str, str]:
    chosen = form.cleaned_data
    return {"name": chosen["name"], "type_": chosen["type"], "description": chosen["description"]}


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = products.create(**_values(form), actor=request.user)
        except NameTaken as error:
            form.add_error("name", str(error))
        else:
            return redirect("audiences:product", pk=made.pk)
    return render(request, "console/audiences/product_form.html", {"form": form})


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    initial = {"name": product.name, "type": product.type, "description": product.description}
    form = ProductForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            products.change(product, **_values(form), actor=request.user)
        except NameTaken as error:
            form.add_error("name", str(error))
        else:
            return redirect("audiences:product", pk=pk)
    return render(request, "console/audiences/product_form.html", {"form": form, "product": product})


@requires(Permission.VIEW)
@require_safe
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """A product with its memberships: searched, filtered, a page at a time."""
    product = get_object_or_404(Product, pk=pk)
    q, status = request.GET.get("q", "").replace("\x00", "")[:200], request.GET.get("status", "")
    status = status if status in Membership.Status.values else ""
    page = paginate(queries.memberships(product, q, status), ("-started_at", "-id"), request.GET.get("cursor", ""))
    context = {
        "product": product,
        "counts": queries.product_counts([pk])[pk],
        "page": page,
        "q": q,
        "narrowed": bool(q or status),
        "filters": [
            {"name": "status", "label": _("Any status"), "choices": Membership.Status.choices, "value": status}
        ],
        "form": MembershipsForm(),
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
    }
    return render(request, "console/audiences/product.html", context)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def memberships(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give the product to contacts found by typing."""
    product, form = get_object_or_404(Product, pk=pk), MembershipsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Choose at least one contact."))
        return redirect("audiences:product", pk=pk)
    people = by_ids(form.cleaned_data["people"])
    fresh = list(people.exclude(pk__in=product.memberships.values("contact")).values_list("id", flat=True))
    count = products.add(product, people, form.cleaned_data["status"], actor=request.user)
    text = ngettext(
        "%(count)d contact holds “%(product)s” now.", "%(count)d contacts hold “%(product)s” now.", count
    ) % {"count": count, "product": product}
    if fresh:
        with_undo(request, text, reverse("audiences:product-removal", args=[pk]), fresh)
    else:
        messages.success(request, text)
    return redirect("audiences:product", pk=pk)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    count = products.remove(product, by_ids(ticked(request.POST.getlist("contact"))), actor=request.user)
    text = ngettext("%(count)d membership was removed.", "%(count)d memberships were removed.", count)
    messages.success(request, text % {"count": count})
    return redirect("audiences:product", pk=pk)


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def membership(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change one membership."""
    found = get_object_or_404(Membership.objects.select_related("contact", "product"), pk=pk)
    form = MembershipForm(request.POST or None, initial={"status": found.status, "expires_at": found.expires_at})
    if request.method == "POST" and form.is_valid():
        products.set_membership(found, **form.cleaned_data, actor=request.user)
        messages.success(request, _("Saved."))
        return redirect("audiences:product", pk=found.product_id)
    return render(request, "console/audiences/membership_form.html", {"form": form, "membership": found})


@requires(Permission.EDIT_CONTACTS)
@require_POST
def archive(request: SignedInRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    products.archive(product, actor=request.user)
    text = _("“%(name)s” was archived.") % {"name": product}
    with_undo(request, text, reverse("audiences:product-restoration", args=[pk]), ())
    return redirect("audiences:products")


@requires(Permission.EDIT_CONTACTS)
@require_POST
def restoration(request: SignedInRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    products.restore(product, actor=request.user)
    messages.success(request, _("“%(name)s” is in use again.") % {"name": product})
    return redirect("audiences:product", pk=pk)
