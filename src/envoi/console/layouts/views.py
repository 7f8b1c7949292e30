"""The layouts of the installation: list, write, look at, copy, choose the default, delete."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.console.access import SignedInRequest, requires
from envoi.console.layouts import sample
from envoi.console.layouts.forms import LayoutForm
from envoi.content import default_layout, isolated
from envoi.content.actions import layout as actions
from envoi.content.models import Layout
from envoi.content.problems import ContentError, Problem
from envoi.core.pagination import paginate

FIELDS = {"layout_html": "html", "layout_text": "text"}


@requires(Permission.VIEW)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every layout by name."""
    page = paginate(Layout.objects.defer("html", "text"), ("name",), request.GET.get("cursor", ""))
    return render(request, "console/layouts/list.html", {"page": page, "may_edit": _may_edit(request)})


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Write a layout; it begins as a copy of the one that came with Envoi."""
    start = {"html": default_layout.html(), "text": default_layout.text()}
    form = LayoutForm(request.POST or None, initial=start)
    if form.is_valid():
        try:
            layout = actions.create(**form.cleaned_data, actor=request.user)
        except (ContentError, actions.NameTaken) as error:
            return _again(request, form, error, None)
        messages.success(request, _("The layout “%(name)s” is saved.") % {"name": layout.name})
        return redirect("layouts:edit", layout.pk)
    return render(request, "console/layouts/edit.html", {"form": form, "may_edit": True})


@requires(Permission.VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """See a layout, and change it if one may."""
    layout = get_object_or_404(Layout, pk=pk)
    if request.method == "POST":
        return _changed(request, layout)
    form = LayoutForm(initial={"name": layout.name, "html": layout.html, "text": layout.text})
    context = {"form": form, "layout": layout, "may_edit": _may_edit(request)}
    return render(request, "console/layouts/edit.html", context)


@requires(Permission.VIEW)
@require_safe
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """A sample in this layout, for the frame."""
    layout = get_object_or_404(Layout, pk=pk)
    return isolated.document(sample.page(layout.html, layout.text))


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def copy(request: SignedInRequest, pk: int) -> HttpResponse:
    """Begin a new layout with this one."""
    return redirect("layouts:edit", actions.copy(get_object_or_404(Layout, pk=pk), actor=request.user).pk)


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def make_default(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give it to new e-mails."""
    layout = get_object_or_404(Layout, pk=pk)
    actions.make_default(layout, actor=request.user)
    messages.success(request, _("New e-mails get the layout “%(name)s”.") % {"name": layout.name})
    return redirect("layouts:list")


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete it, unless something uses it."""
    layout = get_object_or_404(Layout, pk=pk)
    try:
        actions.delete(layout, actor=request.user)
    except actions.LayoutInUse as error:
        messages.error(request, str(error))
        return redirect("layouts:edit", pk)
    messages.success(request, _("The layout “%(name)s” is deleted.") % {"name": layout.name})
    return redirect("layouts:list")


def _changed(request: SignedInRequest, layout: Layout) -> HttpResponse:
    if not _may_edit(request):
        raise PermissionDenied
    form = LayoutForm(request.POST)
    if not form.is_valid():
        return _again(request, form, None, layout)
    try:
        actions.change(layout, **form.cleaned_data, actor=request.user)
    except (ContentError, actions.NameTaken) as error:
        return _again(request, form, error, layout)
    messages.success(request, _("The layout “%(name)s” is saved.") % {"name": layout.name})
    return redirect("layouts:edit", layout.pk)


def _may_edit(request: HttpRequest) -> bool:
    return may(request.user, Permission.EDIT_BROADCASTS)


def _again(request: HttpRequest, form: LayoutForm, error: Exception | None, layout: Layout | None) -> HttpResponse:
    problems: list[Problem] = error.problems if isinstance(error, ContentError) else []
    if isinstance(error, actions.NameTaken):
        form.add_error("name", str(error))
    for problem in problems:
        line = _("Line %(line)s: %(message)s") % {"line": problem.line, "message": problem.message}
        form.add_error(FIELDS.get(problem.field, "html"), line if problem.line else problem.message)
    context = {"form": form, "layout": layout, "problems": problems, "may_edit": True}
    return render(request, "console/layouts/edit.html", context, status=422)
