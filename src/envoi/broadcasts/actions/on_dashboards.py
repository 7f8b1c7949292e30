"""A broadcast on dashboards in one go, as programs and scripts want it, and steered by its notice.

What comes of it is a broadcast like any other: people find it in the console, change it there, end it there.
"""

from __future__ import annotations

from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.models import User
from envoi.audiences.actions.audiences import NOBODY
from envoi.audiences.queries import Targets
from envoi.broadcasts import channels
from envoi.broadcasts.actions import draft, show
from envoi.broadcasts.errors import NotReady, Problem
from envoi.broadcasts.models import Broadcast
from envoi.notices import actions as notices
from envoi.notices.models import Notice


def publish(
    include: Targets,
    exclude: Targets = NOBODY,
    *,
    fixed: bool = False,
    actor: User | None,
    **wording: Unpack[notices.Wording],
) -> Notice:
    """Write, address and show it: all or nothing. Without `body`, the subject says everything.

    Raises:
        NotReady: nobody is meant, or something is missing or cannot be.
    """
    if not include:
        raise NotReady([Problem("targets", "targets", _("Name at least one product, list or contact."))])
    # Before anything is stored: what is too long for its column is said in words.
    problems = notices.wording_problems(Notice(**wording))
    if problems:
        raise NotReady([Problem("content", field, message) for field, message in problems])
    plan = {name: value for name, value in wording.items() if name not in {"subject", "body"}}
    with transaction.atomic():
        made = draft.create(
            channels.NOTICE.name, actor=actor, subject=wording.get("subject", ""), body=wording.get("body", "")
        )
        draft.change_targets(made, include, exclude, actor=actor)
        show.change_plan(made, actor=actor, fixed=fixed, **plan)  # type: ignore[arg-type]
        try:
            return show.show(made, actor=actor, subject_alone=True)
        except NotReady as error:
            raise NotReady([_about_targets(problem) for problem in error.problems]) from error


def change(notice: Notice, *, actor: User | None, **wording: Unpack[notices.Wording]) -> None:
    """Alter what it says or how long it stands.

    Raises:
        NotSteerable, NoticeOver: it was withdrawn.
        NotReady, NoticeRefused: it cannot be so.
    """
    broadcast = _broadcast_of(notice)
    if broadcast is None:
        notices.change(notice, actor=actor, **wording)
    else:
        show.change_shown(broadcast, actor=actor, **wording)
    notice.refresh_from_db()


def end(notice: Notice, *, actor: User | None) -> None:
    """Show it no more.

    Raises:
        NotSteerable, NoticeOver: it is over already.
    """
    broadcast = _broadcast_of(notice)
    if broadcast is None:
        notices.end_now(notice, actor=actor)
    else:
        show.end_early(broadcast, actor=actor)
    notice.refresh_from_db()


def withdraw(notice: Notice, *, actor: User | None) -> None:
    """Take it back, also from people's past messages.

    Raises:
        NotSteerable, NoticeOver: it was withdrawn before.
    """
    broadcast = _broadcast_of(notice)
    if broadcast is None:
        notices.withdraw(notice, actor=actor)
    else:
        show.withdraw(broadcast, actor=actor)
    notice.refresh_from_db()


def _broadcast_of(notice: Notice) -> Broadcast | None:
    return Broadcast.objects.filter(notice=notice).first()


def _about_targets(problem: Problem) -> Problem:
    if problem.step != "targets":
        return problem
    return Problem("targets", "targets", _("Nobody is meant: what is targeted has no members at this moment."))
