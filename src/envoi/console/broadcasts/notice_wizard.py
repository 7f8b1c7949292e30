"""The wizard's third step for a message: its words, its look, how long it stands, and the e-mail after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from envoi.broadcasts import readiness
from envoi.broadcasts.actions import draft, show
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest
from envoi.console.broadcasts import common
from envoi.console.broadcasts.notice_forms import NoticeForm
from envoi.console.broadcasts.steps import at_line, pane
from envoi.notices.models import Level


@dataclass(frozen=True, slots=True)
class Look:
    """How a level is shown in the console.

    Attributes:
        css: the kind of Tabler's alert.
        colour: Tabler's name of it.
    """

    css: str
    colour: str
    icon: str


LOOKS = {
    Level.INFO: Look("info", "blue", "info-circle"),
    Level.SUCCESS: Look("success", "green", "circle-check"),
    Level.WARNING: Look("warning", "orange", "alert-triangle"),
    Level.ERROR: Look("danger", "red", "alert-circle"),
}


def levels(chosen: object) -> list[dict[str, Any]]:
    """The four levels as one chooses them."""
    return [
        {"value": level.value, "label": level.label, "look": look, "chosen": level.value == chosen}
        for level, look in LOOKS.items()
    ]


def content(request: SignedInRequest, broadcast: Broadcast) -> HttpResponse:
    """What it says. It is kept even with faults, which are shown at their field."""
    form = NoticeForm(request.POST) if request.method == "POST" else NoticeForm.of(broadcast)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            draft.change_content(broadcast, actor=request.user, **form.content)
            show.change_plan(broadcast, actor=request.user, **form.plan)
        broadcast = common.found(broadcast.pk)
        problems = readiness.said_problems(broadcast)
        if not problems or request.POST.get("next"):
            return common.step(request, "review", broadcast)
        for problem in problems:
            form.add_error(problem.field if problem.field in form.fields else None, at_line(problem))
    return pane(request, "content", broadcast, {"form": form, "levels": levels(form["level"].value())}, "notice")
