"""The four steps from nothing to sent: type, targets, content, review. Each is a page, and a pane of the dialog."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts.permissions import Permission
from envoi.audiences.queries import search_targets
from envoi.broadcasts import channels, noticing, readiness
from envoi.broadcasts.actions import draft
from envoi.broadcasts.composing import merge_tags
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common, notice_wizard
from envoi.console.broadcasts.forms import ChannelForm, ContentForm, TargetsForm, TestForm
from envoi.console.broadcasts.steps import at_line, pane
from envoi.console.broadcasts.way import way


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: SignedInRequest) -> HttpResponse:
    """Step 1: choose the type; a draft is kept from here on."""
    form = ChannelForm(request.POST or None, initial={"channel": channels.offered()[0].name})
    if request.method == "POST" and form.is_valid():
        broadcast = draft.create(form.cleaned_data["channel"], actor=request.user)
        return common.step(request, "targets", broadcast)
    return pane(request, "new", None, {"form": form, "channels": channels.offered()})


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
@common.of_draft
def targets(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """Step 2: to whom it goes."""
    form = TargetsForm(request.POST) if request.method == "POST" else TargetsForm.of(broadcast)
    if request.method == "POST" and form.is_valid():
        draft.change_targets(broadcast, form.included, form.excluded, actor=request.user)
        return common.step(request, "content", broadcast)
    return pane(request, "targets", broadcast, {"form": form, "count": readiness.count(broadcast)})


@requires(Permission.EDIT_BROADCASTS)
@require_POST
@common.of_draft
def count(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """Keep the targets chosen so far in the draft, and tell how many people that makes."""
    form = TargetsForm(request.POST)
    if form.is_valid():
        broadcast = draft.change_targets(broadcast, form.included, form.excluded, actor=request.user)
    context = {"broadcast": broadcast, "count": readiness.count(broadcast)}
    return render(request, "console/broadcasts/wizard/count.html", context)


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
@common.of_draft
def content(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """Step 3: what it says. It is kept even with faults, which are shown at their field."""
    if noticing.is_notice(broadcast):
        return notice_wizard.content(request, broadcast)
    if request.POST.get("editor"):
        typed = {name: request.POST.get(name, "") for name in ContentForm.base_fields}
        return _content_pane(request, broadcast, ContentForm(instance=broadcast, initial=typed))
    form = ContentForm(request.POST or None, instance=broadcast)
    if request.method == "POST" and form.is_valid():
        broadcast = draft.change_content(broadcast, actor=request.user, **form.cleaned_data)
        problems = readiness.content_problems(broadcast)
        if not problems or request.POST.get("next"):
            return common.step(request, "review", broadcast)
        for problem in problems:
            form.add_error(problem.field if problem.field in form.fields else None, at_line(problem))
    return _content_pane(request, broadcast, form)


def _content_pane(request: HttpRequest, broadcast: Broadcast, form: ContentForm) -> HttpResponse:
    return pane(request, "content", broadcast, {"form": form, "tags": merge_tags()})


@requires(Permission.EDIT_BROADCASTS)
@require_GET
@common.of_draft
def review(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """Step 4: see it as a reader, try it, send it."""
    counted = readiness.count(broadcast)
    context = {
        "count": counted,
        "checks": readiness.checklist(broadcast, counted),
        "problems": readiness.problems(broadcast, counted),
        "test_form": TestForm(initial={"addresses": request.user.email}),
        "notice": noticing.is_notice(broadcast),
        "way": way(broadcast) if not noticing.is_notice(broadcast) or noticing.wants_email(broadcast) else [],
    }
    if noticing.wants_email(broadcast):
        context["email_count"] = readiness.count_email(broadcast)
    return pane(request, "review", broadcast, context)


@requires(Permission.EDIT_BROADCASTS)
@require_GET
def target_choices(request: HttpRequest) -> JsonResponse:
    """What can be a target and is called like `q`, for the fields in which one chooses by typing."""
    found = search_targets(request.GET.get("q", ""), [request.GET.get("kind", "contact")])
    return JsonResponse({"results": [{"id": one.id, "text": one.text, "detail": one.detail} for one in found]})
