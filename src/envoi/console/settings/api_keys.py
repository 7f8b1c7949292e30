"""API keys: which programs are let in, and what each may do."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts import queries
from envoi.accounts.actions import api_keys as actions
from envoi.accounts.models import ApiKey
from envoi.accounts.permissions import SCOPES, Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.forms import ApiKeyForm


@requires(Permission.MANAGE_USERS)
@require_GET
def keys(request: SignedInRequest) -> HttpResponse:
    rows = [(key, [label for scope, label in SCOPES.items() if scope in key.scopes]) for key in queries.api_keys()]
    return render(request, "console/settings/api_keys.html", {"keys": rows})


@requires(Permission.MANAGE_USERS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
        try:
            key, token = actions.issue(name, scopes, expires_at=form.expires_at(), actor=request.user)
        except actions.KeyRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            # Shown in the answer itself and nowhere kept: a redirect would have to store it.
            return render(request, "console/settings/api_key.html", {"key": key, "token": token})
    return render(request, "console/settings/api_key_new.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.MANAGE_USERS)
@require_POST
def revocation(request: SignedInRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    actions.revoke(key, actor=request.user)
    messages.success(request, _("The key “%(name)s” lets nobody in any more.") % {"name": key})
    return redirect("settings:api-keys")
