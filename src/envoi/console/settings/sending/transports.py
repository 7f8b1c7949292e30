"""A transport: where mail leaves, how fast and when; try it, pause it, let it go on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.sending import portions
from envoi.console.settings.sending.transport_forms import ProviderLimitForm, TransportForm, TrialForm, somebody
from envoi.core import wording
from envoi.delivery.actions import transports as actions
from envoi.delivery.actions import trial
from envoi.delivery.actions.problems import InUse, SendingRefused
from envoi.delivery.actions.standstill import pause_transport, resume_transport
from envoi.delivery.models import ProviderLimit, SenderIdentity, Transport
from envoi.delivery.providers import PROVIDERS, find
from envoi.delivery.queries.provider_paces import slowed
from envoi.delivery.queries.sending import sender_over
from envoi.delivery.queries.transports import standings
from envoi.delivery.relay import RelayNotReady


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Add one."""
    form = TransportForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            made = actions.add(form.wanted(), actor=request.user)
        except SendingRefused as refused:
            _tell(form, refused)
        else:
            messages.success(request, _("The transport is added. Send a test message to see whether it works."))
            return redirect("settings:transport", pk=made.pk)
    return page(request, Transport(kind=Transport.Kind.SMTP), form)


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def transport(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show it; store it when everything is right."""
    found = get_object_or_404(Transport, pk=pk)
    form = None
    if request.method == "POST":
        form = TransportForm(request.POST, stored_password=bool(found.password_encrypted))
        if form.is_valid():
            try:
                actions.change(found, form.wanted(), actor=request.user)
            except SendingRefused as refused:
                _tell(form, refused)
            else:
                messages.success(request, _("The settings are saved. Send a test message to see whether they work."))
                return redirect("settings:transport", pk=pk)
    return page(request, found, form)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def test_message(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send one message over what is stored; show the server's answer and the whole conversation."""
    found = get_object_or_404(Transport, pk=pk)
    identity = sender_over(found)
    form = TrialForm(request.POST)
    result, problem = None, ""
    if identity is None:
        problem = _("There is no sender yet whose address the test could carry. Add one under Settings → Sending.")
    elif form.is_valid():
        try:
            result = trial.send(identity, form.cleaned_data["to"], transport=found, actor=request.user)
        except RelayNotReady as error:
            problem = str(error)
    context = {"trial": result, "trial_problem": problem, "trial_form": form, "transport": found}
    if request.headers.get("HX-Request"):
        return render(request, "console/settings/sending/_trial.html", context)
    return page(request, found, more=context)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def pause(request: SignedInRequest, pk: int) -> HttpResponse:
    """Carry nothing more over it until somebody resumes it."""
    found = get_object_or_404(Transport, pk=pk)
    if pause_transport(found, reason=wording.gettext("Paused by %(person)s.", person=request.user), actor=request.user):
        messages.success(request, _("“%(name)s” is paused. Nobody loses a message by it.") % {"name": found})
    return redirect("settings:transport", pk=pk)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def resumption(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let the paused transport go on."""
    if resume_transport(get_object_or_404(Transport, pk=pk), actor=request.user):
        messages.success(request, _("Sending goes on."))
    return redirect("settings:transport", pk=pk)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove it, if nothing needs it."""
    found = get_object_or_404(Transport, pk=pk)
    try:
        actions.remove(found, actor=request.user)
    except InUse as error:
        messages.error(request, str(error))
        return redirect("settings:transport", pk=pk)
    messages.success(request, _("“%(name)s” is removed.") % {"name": found})
    return redirect("settings:sending")


def _tell(form: TransportForm, refused: SendingRefused) -> None:
    for field, message in refused.problems.items():
        form.add_error(field, str(message))


def page(
    request: SignedInRequest,
    found: Transport,
    form: TransportForm | None = None,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page of `found`, with a form that was refused or what else happened to it."""
    provider = find(request.GET.get("provider", ""))
    stands: dict[str, Any] = {}
    if found.pk:
        users = SenderIdentity.objects.filter(transport=found).order_by("from_address")[:20]
        stands = {
            "standing": standings([found])[found.pk],
            "users": list(users),
            "slowed": slowed(found),
            "provider_limits": ProviderLimit.objects.filter(transport=found).order_by("provider")[:100],
            "provider_form": ProviderLimitForm(),
            "trial_form": TrialForm(initial={"to": somebody(request.user, sender_over(found))}),
            **portions.stands(found),
        }
    context: dict[str, Any] = {
        "transport": found,
        "form": form or TransportForm.of(found, provider, request.GET.get("kind", "")),
        "providers": PROVIDERS,
        "provider": provider,
    }
    context |= stands | (more or {})
    refused = [one for one in (form, context.get("provider_form")) if one is not None and one.errors]
    return render(request, "console/settings/sending/transport.html", context, status=422 if refused else 200)
