"""Pages about suppressed addresses."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.console.access import SignedInRequest, requires
from envoi.console.contacts.forms import SuppressionForm
from envoi.contacts import queries
from envoi.contacts.actions import suppressions
from envoi.contacts.models import Suppression
from envoi.core import csv_export
from envoi.core.addresses import AddressError
from envoi.core.pagination import paginate


def _criteria(request: SignedInRequest) -> tuple[str, str]:
    reason = request.GET.get("reason", "")
    return request.GET.get("q", "").replace("\x00", "")[:254], reason if reason in Suppression.Reason.values else ""


@requires(Permission.VIEW)
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    q, reason = _criteria(request)
    context = {
        "page": paginate(queries.search_suppressions(q, reason), ("-created_at", "-id"), request.GET.get("cursor", "")),
        "q": q,
        "narrowed": bool(q or reason),
        "filters": [
            {"name": "reason", "label": _("Every reason"), "choices": Suppression.Reason.choices, "value": reason}
        ],
        "may_edit": may(request.user, Permission.EDIT_CONTACTS),
        "may_export": may(request.user, Permission.EXPORT),
    }
    return render(request, "console/contacts/suppressions.html", context)


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = suppressions.suppress(
                form.cleaned_data["address"],
                Suppression.Reason.MANUAL,
                source=form.cleaned_data["source"],
                actor=request.user,
            )
        except AddressError as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, _("%(address)s will not be mailed any more.") % {"address": made})
            return redirect("contacts:suppressions")
    return render(request, "console/contacts/suppression_form.html", {"form": form})


@requires(Permission.EDIT_CONTACTS)
@require_POST
def lift(request: SignedInRequest, pk: int) -> HttpResponse:
    """Allow the address again; back to the contact, if the form says which."""
    suppression = get_object_or_404(Suppression, pk=pk)
    suppressions.lift(suppression, actor=request.user)
    messages.success(request, _("%(address)s may be mailed again.") % {"address": suppression})
    contact = request.POST.get("contact", "")
    return redirect("contacts:show", pk=int(contact)) if contact.isdigit() else redirect("contacts:suppressions")


@requires(Permission.EXPORT)
@require_safe
def export(request: SignedInRequest) -> HttpResponseBase:
    rows = queries.search_suppressions(*_criteria(request)).order_by("id").iterator(chunk_size=2000)
    lines = ([row.address_key, row.reason, row.source, row.created_at.isoformat(timespec="seconds")] for row in rows)
    return csv_export.response("suppressions.csv", ["email", "reason", "source", "since"], lines)
