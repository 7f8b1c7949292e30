"""One page that turns the sandbox into a real mail server, shows whether it works, and lets a paused one go on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.sending.forms import SendingForm, TrialForm, initial, somebody
from envoi.delivery.actions import sending as actions
from envoi.delivery.actions import setup, trial
from envoi.delivery.actions.standstill import resume_transport
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.providers import PROVIDERS, find
from envoi.delivery.queries.sending import default_identity, sender_doubt
from envoi.delivery.relay import RelayNotReady


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def sending(request: SignedInRequest) -> HttpResponse:
    """Show the settings; store them when all of them are right."""
    if request.method != "POST":
        return _page(request, default_identity() or SenderIdentity(transport=Transport()))
    identity = setup.ensure_defaults()
    form = SendingForm(request.POST, stored_password=bool(identity.transport.password_encrypted))
    if form.is_valid():
        try:
            actions.change(identity, form.wanted(), actor=request.user)
        except actions.SendingRefused as refused:
            for field, message in refused.problems.items():
                form.add_error(field, str(message))
        else:
            messages.success(request, _("The settings are saved. Send a test message to see whether they work."))
            return redirect("settings:sending")
    identity.refresh_from_db()
    return _page(request, identity, form)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def test_message(request: SignedInRequest) -> HttpResponse:
    """Send one message over what is stored; show the server's answer and the whole conversation."""
    identity = setup.ensure_defaults()
    form = TrialForm(request.POST)
    result, problem = None, ""
    if form.is_valid():
        try:
            result = trial.send(identity, form.cleaned_data["to"], actor=request.user)
        except RelayNotReady as error:
            problem = str(error)
    context: dict[str, object] = {
        "trial": result,
        "trial_problem": problem,
        "trial_form": form,
        "transport": identity.transport,
    }
    if request.headers.get("HX-Request"):
        return render(request, "console/settings/sending/_trial.html", context)
    return _page(request, identity, more=context)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def resumption(request: SignedInRequest) -> HttpResponse:
    """Let the paused transport go on."""
    if resume_transport(setup.ensure_defaults().transport, actor=request.user):
        messages.success(request, _("Sending goes on."))
    return redirect("settings:sending")


def _page(
    request: SignedInRequest,
    identity: SenderIdentity,
    form: SendingForm | None = None,
    more: dict[str, object] | None = None,
) -> HttpResponse:
    provider = find(request.GET.get("provider", ""))
    stored = bool(identity.transport.password_encrypted)
    context: dict[str, object] = {
        "identity": identity,
        "transport": identity.transport,
        "form": form or SendingForm(initial=initial(identity, provider), stored_password=stored),
        "trial_form": TrialForm(initial={"to": somebody(request.user, identity)}),
        "providers": PROVIDERS,
        "provider": provider,
        "doubt": sender_doubt(identity),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "console/settings/sending/page.html", context | (more or {}), status=status)
