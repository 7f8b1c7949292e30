"""A sender identity: whom messages come from, which transports carry them, and how slowly it begins."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.sending import words
from envoi.console.settings.sending.sender_forms import SenderForm
from envoi.delivery.actions import senders as actions
from envoi.delivery.actions.problems import InUse, SendingRefused
from envoi.delivery.limits import warm_up
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.queries.sending import sender_doubt


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Add one."""
    return _edit(request, SenderIdentity())


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def sender(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show it; store it when everything is right."""
    return _edit(request, get_object_or_404(SenderIdentity.objects.select_related("transport"), pk=pk))


@requires(Permission.MANAGE_SETTINGS)
@require_safe
def warm_up_preview(request: SignedInRequest) -> HttpResponse:
    """What the numbers in the form would allow day by day."""
    form = SenderForm(request.GET, transports=[])
    form.is_valid()
    return render(request, "console/settings/sending/_warm_up.html", {"days": _days(form)})


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def default(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let new broadcasts come from it."""
    found = get_object_or_404(SenderIdentity, pk=pk)
    if actions.make_default(found, actor=request.user):
        messages.success(request, _("New broadcasts come from %(sender)s.") % {"sender": found})
    return redirect("settings:sending")


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove it, if nothing needs it."""
    found = get_object_or_404(SenderIdentity, pk=pk)
    try:
        actions.remove(found, actor=request.user)
    except InUse as error:
        messages.error(request, str(error))
        return redirect("settings:sender", pk=pk)
    messages.success(request, _("%(sender)s is removed.") % {"sender": found})
    return redirect("settings:sending")


def _edit(request: SignedInRequest, identity: SenderIdentity) -> HttpResponse:
    transports = list(Transport.objects.order_by("name")[:200])
    form = SenderForm(request.POST, transports=transports) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            if identity.pk:
                actions.change(identity, form.wanted(), actor=request.user)
            else:
                actions.add(form.wanted(), actor=request.user)
        except SendingRefused as refused:
            for field, message in refused.problems.items():
                form.add_error(field if field in form.fields else None, str(message))
        else:
            messages.success(request, _("The sender is saved."))
            return redirect("settings:sending")
    shown = form or SenderForm.of(identity, transports)
    context: dict[str, Any] = {
        "identity": identity,
        "form": shown,
        "days": _days(shown),
        "doubt": sender_doubt(identity) if identity.pk else "",
        "domain": words.domain_of(identity) if identity.pk else "",
        "keys": words.keys_by_domain([identity])[words.domain_of(identity)] if identity.pk else [],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "console/settings/sending/sender.html", context, status=status)


def _days(form: SenderForm) -> list[tuple[str, str]]:
    """The days of the warm-up as the form stands; none while its numbers do not fit."""
    values = form.cleaned_data if form.is_bound else form.initial
    begins, first, growth, until = (
        values.get(name) for name in ("warm_up_from", "warm_up_first", "warm_up_growth", "warm_up_until")
    )
    if not (begins and first and growth and until):
        return []
    return words.warm_up_days(warm_up.Plan(begins, first, growth, until))
