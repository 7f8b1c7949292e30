"""The four steps from nothing to sent: type, targets, content, review. Each is a page, and a pane of the dialog."""

from __future__ import annotations

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from envoi.accounts.permissions import Permission, may
from envoi.audiences.queries import search_targets
from envoi.broadcasts import channels, readiness
from envoi.broadcasts.actions import draft
from envoi.broadcasts.composing import merge_tags
from envoi.broadcasts.errors import Problem
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common
from envoi.console.broadcasts.forms import ChannelForm, ContentForm, TargetsForm, TestForm

STEPS = (("new", _("Type")), ("targets", _("Targets")), ("content", _("Content")), ("review", _("Review")))


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: SignedInRequest) -> HttpResponse:
    """Step 1: choose the type; a draft is kept from here on."""
    form = ChannelForm(request.POST or None, initial={"channel": channels.offered()[0].name})
    if request.method == "POST" and form.is_valid():
        broadcast = draft.create(form.cleaned_data["channel"], actor=request.user)
        return common.step(request, "targets", broadcast)
    return _pane(request, "new", None, {"form": form, "channels": channels.offered()})


@requires(Permission.EDIT_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
@common.of_draft
def targets(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """Step 2: to whom it goes."""
    form = TargetsForm(request.POST) if request.method == "POST" else TargetsForm.of(broadcast)
    if request.method == "POST" and form.is_valid():
        draft.change_targets(broadcast, form.included, form.excluded, actor=request.user)
        return common.step(request, "content", broadcast)
    return _pane(request, "targets", broadcast, {"form": form, "count": readiness.count(broadcast)})


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
            form.add_error(problem.field if problem.field in form.fields else None, _at_line(problem))
    return _content_pane(request, broadcast, form)


def _content_pane(request: HttpRequest, broadcast: Broadcast, form: ContentForm) -> HttpResponse:
    return _pane(request, "content", broadcast, {"form": form, "tags": merge_tags()})


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
    }
    return _pane(request, "review", broadcast, context)


@requires(Permission.EDIT_BROADCASTS)
@require_GET
def target_choices(request: HttpRequest) -> JsonResponse:
    """What can be a target and is called like `q`, for the fields in which one chooses by typing."""
    found = search_targets(request.GET.get("q", ""), [request.GET.get("kind", "contact")])
    return JsonResponse({"results": [{"id": one.id, "text": one.text, "detail": one.detail} for one in found]})


def _at_line(problem: Problem) -> str:
    if not problem.line:
        return problem.message
    return gettext("Line %(line)d: %(problem)s") % {"line": problem.line, "problem": problem.message}


def _pane(request: HttpRequest, name: str, broadcast: Broadcast | None, context: dict[str, object]) -> HttpResponse:
    names = [step for step, _label in STEPS]
    context |= {
        "broadcast": broadcast,
        "may_send": may(request.user, Permission.SEND_BROADCASTS),
        "steps": [
            {
                "name": step,
                "label": label,
                "number": number,
                "current": step == name,
                "done": number <= names.index(name),
            }
            for number, (step, label) in enumerate(STEPS, 1)
        ],
    }
    form = context.get("form")
    refused = isinstance(form, BaseForm) and form.is_bound and bool(form.errors)
    return render(request, f"console/broadcasts/wizard/{name}.html", context, status=422 if refused else 200)
