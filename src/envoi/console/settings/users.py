"""Users: who may sign in, and as what."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts import queries
from envoi.accounts.actions import users as actions
from envoi.accounts.models import Role, User
from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.forms import RoleForm, UserForm
from envoi.instance import queries as instance
from envoi.instance.schema import DEFAULT_LANGUAGE


@requires(Permission.MANAGE_USERS)
@require_GET
def users(request: SignedInRequest) -> HttpResponse:
    return render(request, "console/settings/users.html", {"users": queries.users(), "roles": Role.choices})


@requires(Permission.MANAGE_USERS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, password = actions.add(
                **form.cleaned_data, language=instance.get(DEFAULT_LANGUAGE), actor=request.user
            )
        except actions.AddressTaken:
            form.add_error("email", _("Somebody signs in with this address already."))
        else:
            return _show_password(request, user, password)
    return render(request, "console/settings/user_new.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.MANAGE_USERS)
@require_POST
def role(request: SignedInRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            actions.change_role(user, form.cleaned_data["role"], actor=request.user)
            messages.success(request, _("The role is changed."))
        except actions.LastOwner:
            _say_last_owner(request, user)
    return redirect("settings:users")


@requires(Permission.MANAGE_USERS)
@require_POST
def deactivation(request: SignedInRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    try:
        actions.deactivate(user, actor=request.user)
        messages.success(request, _("%(user)s can no longer sign in.") % {"user": user})
    except actions.LastOwner:
        _say_last_owner(request, user)
    return redirect("settings:users")


@requires(Permission.MANAGE_USERS)
@require_POST
def activation(request: SignedInRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    actions.activate(user, actor=request.user)
    messages.success(request, _("%(user)s can sign in again.") % {"user": user})
    return redirect("settings:users")


@requires(Permission.MANAGE_USERS)
@never_cache
@require_POST
def password(request: SignedInRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    return _show_password(request, user, actions.reset_password(user, actor=request.user))


@requires(Permission.MANAGE_USERS)
@require_POST
def second_factors(request: SignedInRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    actions.remove_second_factors(user, actor=request.user)
    messages.success(request, _("%(user)s signs in with the password alone now.") % {"user": user})
    return redirect("settings:users")


def _show_password(request: SignedInRequest, user: User, one_time: str) -> HttpResponse:
    """Shown in the answer itself and nowhere kept: a redirect would have to store it."""
    return render(request, "console/settings/one_time_password.html", {"person": user, "one_time_password": one_time})


def _say_last_owner(request: SignedInRequest, user: User) -> None:
    messages.error(
        request,
        _("%(user)s is the only owner who can sign in. Make somebody else an owner first.") % {"user": user},
    )
