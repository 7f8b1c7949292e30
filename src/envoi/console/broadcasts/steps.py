"""The frame of the wizard's steps."""

from __future__ import annotations

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts.errors import Problem
from envoi.broadcasts.models import Broadcast

STEPS = (("new", _("Type")), ("targets", _("Targets")), ("content", _("Content")), ("review", _("Review")))


def pane(
    request: HttpRequest, name: str, broadcast: Broadcast | None, context: dict[str, object], template: str = ""
) -> HttpResponse:
    """The step `name`, drawn by the template of its name or by `template`."""
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
    page = f"console/broadcasts/wizard/{template or name}.html"
    return render(request, page, context, status=422 if refused else 200)


def at_line(problem: Problem) -> str:
    """What is wrong, and on which line if that is known."""
    if not problem.line:
        return problem.message
    return gettext("Line %(line)d: %(problem)s") % {"line": problem.line, "problem": problem.message}
