"""Pages about oneself; open to everybody who is signed in, whatever their role."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts.actions import profile as actions
from envoi.accounts.models import Theme, User
from envoi.console.account.forms import ProfileForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    initial = {"name": user.name, "language": user.language, "theme": user.theme}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.change(user, **form.cleaned_data)
        with override(user.language):
            messages.success(request, _("Your profile is saved."))
        return redirect("account:profile")
    return render(request, "console/account/profile.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose a language: kept with the user, or for a visitor in a cookie."""
    code = request.POST.get("language", "")
    answer = _back(request)
    if code in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            actions.change(request.user, language=code)
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, code, max_age=31_536_000, secure=request.is_secure(), samesite="Lax"
        )
    return answer


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("theme", "")
    if wanted in Theme.values:
        actions.change(cast("User", request.user), theme=wanted)
    return _back(request)


@login_not_required
@require_GET
def forgotten(request: HttpRequest) -> HttpResponse:
    return render(request, "console/account/forgotten.html")


def absent(request: HttpRequest) -> HttpResponse:
    """Pages of the sign-in library that this product does not offer."""
    raise Http404


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if safe else "/")
