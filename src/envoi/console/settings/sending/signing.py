"""The keys with which messages are signed (DKIM), and the DNS record of each."""

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
from envoi.console.settings.sending.signing_forms import KeyForm
from envoi.delivery import dkim
from envoi.delivery.actions import signing as actions
from envoi.delivery.models import DkimKey
from envoi.delivery.queries.sending import default_identity


@requires(Permission.MANAGE_SETTINGS)
@require_safe
def keys(request: SignedInRequest) -> HttpResponse:
    """Every key."""
    found = DkimKey.objects.order_by("domain", "-is_active", "selector")[:200]
    return render(request, "console/settings/sending/keys.html", {"keys": found})


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Make one."""
    form = KeyForm(request.POST) if request.method == "POST" else _blank(request)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.make(**form.cleaned_data, actor=request.user)
        except actions.KeyRefused as refused:
            for field, message in refused.problems.items():
                form.add_error(field, message)
        else:
            messages.success(request, _("The key is made. Put its record into DNS, then turn it on."))
            return redirect("settings:dkim-key", pk=made.pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "console/settings/sending/key_new.html", {"form": form}, status=status)


@requires(Permission.MANAGE_SETTINGS)
@require_safe
def key(request: SignedInRequest, pk: int) -> HttpResponse:
    """Its record and what can be done."""
    return _page(request, get_object_or_404(DkimKey, pk=pk))


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask DNS whether it holds the record."""
    found = get_object_or_404(DkimKey, pk=pk)
    return _page(request, found, finding=dkim.check(found))


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def activation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign with it; without its record in DNS only once somebody has said that they know."""
    found = get_object_or_404(DkimKey, pk=pk)
    try:
        actions.turn_on(found, anyway=request.POST.get("anyway") == "1", actor=request.user)
    except actions.RecordUnconfirmed as unconfirmed:
        return _page(request, found, finding=unconfirmed.finding, refused=True)
    messages.success(request, _("Messages from %(domain)s are signed with it.") % {"domain": found.domain})
    return redirect("settings:dkim-key", pk=pk)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def deactivation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign with it no more."""
    found = get_object_or_404(DkimKey, pk=pk)
    actions.turn_off(found, actor=request.user)
    messages.success(
        request, _("It no longer signs. Leave its record in DNS for a week: messages on their way need it.")
    )
    return redirect("settings:dkim-key", pk=pk)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def removal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Forget it for good."""
    found = get_object_or_404(DkimKey, pk=pk)
    try:
        actions.remove(found, actor=request.user)
    except actions.KeyInUse as error:
        messages.error(request, str(error))
        return redirect("settings:dkim-key", pk=pk)
    messages.success(request, _("The key is removed. Its record may now be taken out of DNS."))
    return redirect("settings:dkim-keys")


def _blank(request: SignedInRequest) -> KeyForm:
    """The form with the domain that was asked for, or that of the default sender."""
    identity = default_identity()
    domain = request.GET.get("domain") or (words.domain_of(identity) if identity else "")
    return KeyForm(initial={"domain": domain, "algorithm": DkimKey.Algorithm.RSA})


def _page(request: SignedInRequest, found: DkimKey, **more: Any) -> HttpResponse:
    context = {"key": found, "record": dkim.record(found), **more}
    status = 409 if more.get("refused") else 200
    return render(request, "console/settings/sending/key.html", context, status=status)
