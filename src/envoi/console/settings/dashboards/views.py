"""Where customers see notices: the sites that may show them, and how."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.dashboards.forms import SiteForm
from envoi.notices import queries
from envoi.notices.actions import site_keys as actions
from envoi.notices.models import SiteKey


@requires(Permission.MANAGE_SETTINGS)
@require_GET
def dashboards(request: SignedInRequest) -> HttpResponse:
    context = {"sites": queries.site_keys()[:200], "base": settings.ENVOI_BASE_URL}
    return render(request, "console/settings/dashboards/index.html", context)


@requires(Permission.MANAGE_SETTINGS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = SiteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = actions.make(**form.cleaned_data, actor=request.user)
        except actions.OriginRefused as refused:
            form.add_error("origins", str(refused))
        else:
            # Shown in the answer itself and nowhere kept: a redirect would have to store it.
            context = {"site": made, "secret": secret, "base": settings.ENVOI_BASE_URL}
            return render(request, "console/settings/dashboards/made.html", context)
    context = {"form": form}
    return render(request, "console/settings/dashboards/new.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def site(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(SiteKey, pk=pk)
    form = SiteForm(request.POST or None, initial={"name": found.name, "origins": found.origins})
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(found, **form.cleaned_data, actor=request.user)
        except actions.OriginRefused as refused:
            form.add_error("origins", str(refused))
        else:
            messages.success(request, _("The site is saved."))
            return redirect("settings:site-key", pk)
    context = {"site": found, "form": form, "base": settings.ENVOI_BASE_URL}
    return render(request, "console/settings/dashboards/site.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def revocation(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(SiteKey, pk=pk)
    actions.revoke(found, actor=request.user)
    messages.success(request, _("“%(name)s” can show no notices any more.") % {"name": found})
    return redirect("settings:dashboards")
