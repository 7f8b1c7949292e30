"""Limits towards single receiving providers, on the page of a transport."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.sending.transport_forms import ProviderLimitForm
from envoi.console.settings.sending.transports import page
from envoi.delivery.actions import provider_limits as actions
from envoi.delivery.actions.problems import SendingRefused
from envoi.delivery.actions.provider_limits import LimitValues
from envoi.delivery.models import ProviderLimit, Transport


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def limits(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set one, in place of what was set for the same provider."""
    transport = get_object_or_404(Transport, pk=pk)
    form = ProviderLimitForm(request.POST)
    if form.is_valid():
        new = LimitValues(**form.cleaned_data)
        try:
            actions.set_limits(transport, [*_others(transport, new.provider), new], actor=request.user)
        except SendingRefused as refused:
            form.add_error("provider", str(refused.problems["provider_limits"]))
        else:
            messages.success(request, _("The limit is set."))
            return redirect("settings:transport", pk=pk)
    return page(request, transport, more={"provider_form": form})


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove the one of `provider`."""
    transport = get_object_or_404(Transport, pk=pk)
    actions.set_limits(transport, _others(transport, request.POST.get("provider", "")), actor=request.user)
    messages.success(request, _("The limit is removed."))
    return redirect("settings:transport", pk=pk)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def slowdown_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Go back to full speed towards `provider`."""
    transport = get_object_or_404(Transport, pk=pk)
    provider = request.POST.get("provider", "")[:253]
    if actions.end_slowdown(transport, provider, actor=request.user):
        messages.success(request, _("%(provider)s gets mail at full speed again.") % {"provider": provider})
    return redirect("settings:transport", pk=pk)


def _others(transport: Transport, provider: str) -> list[LimitValues]:
    """The limits that stand, without that of `provider`."""
    stand = ProviderLimit.objects.filter(transport=transport).exclude(provider=actions.named(provider))
    return [LimitValues(one.provider, one.per_minute, one.at_once) for one in stand.order_by("provider")]
