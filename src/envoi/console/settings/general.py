"""The index of settings, and the general ones."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.forms import GeneralForm
from envoi.instance import actions, queries
from envoi.instance.schema import SettingRefused


@requires(Permission.MANAGE_SETTINGS)
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    return render(request, "console/settings/index.html")


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def general(request: SignedInRequest) -> HttpResponse:
    form = GeneralForm(request.POST or None, initial=dict(queries.get_all()))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(form.chosen, actor=request.user)
        except SettingRefused as refused:
            form.add_error(refused.name, str(refused.message))
        else:
            messages.success(request, _("The settings are saved."))
            return redirect("settings:general")
    return render(request, "console/settings/general.html", {"form": form}, status=422 if form.errors else 200)
