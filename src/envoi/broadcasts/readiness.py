"""Whether a draft may be sent: how many would get it, and everything that stands in the way, with where to mend it.

Reads only. Pages may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from envoi.audiences.queries import targets_of
from envoi.broadcasts import composing, noticing
from envoi.broadcasts.errors import Problem
from envoi.broadcasts.models import Broadcast
from envoi.content.compile import problems_for_everybody
from envoi.content.problems import ContentError
from envoi.core import wording
from envoi.delivery.models import Mailing, Purpose
from envoi.delivery.queries import AudienceCount, preview, skipped
from envoi.instance import queries as settings
from envoi.instance import schema
from envoi.notices.queries import reach

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# The fields of content that the wizard does not show: who can mend them, mends the layout.
LAYOUT_FIELDS = {"layout_html": "layout", "layout_text": "layout", "text": "text_body"}


@dataclass(frozen=True, slots=True)
class Count:
    """How many of the targets get the broadcast.

    Attributes:
        skipped: label of the reason and number, for those who do not.
    """

    total: int
    will_receive: int
    skipped: list[tuple[StrPromise, int]]

    @property
    def left_out(self) -> int:
        return self.total - self.will_receive


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist before sending.

    Attributes:
        step: where in the wizard it is mended, or "".
        blocking: whether sending waits for it.
    """

    label: str
    ok: bool
    hint: str = ""
    step: str = ""
    blocking: bool = True


def count(broadcast: Broadcast) -> Count:
    """What a freeze at this moment would give, or who would see the notice now; one statement."""
    if noticing.is_notice(broadcast):
        people = reach(broadcast.audience)
        return Count(people, people, [])
    return count_email(broadcast)


def count_email(broadcast: Broadcast) -> Count:
    """Who would get it as an e-mail at this moment; one statement."""
    return _counted(preview(broadcast.audience, broadcast.purpose))


def count_frozen(mailing: Mailing) -> Count:
    """Who gets a mailing that has just been started; one statement, which reads a few rows."""
    left_out = skipped(mailing)
    return _counted(AudienceCount(mailing.total, mailing.total - sum(left_out.values()), left_out))


def _counted(found: AudienceCount) -> Count:
    return Count(found.total, found.will_receive, [(reason.label, number) for reason, number in found.skipped.items()])


def content_problems(broadcast: Broadcast) -> list[Problem]:
    """What is wrong with what it says and in whose name; empty when it can be sent."""
    problems = []
    if not broadcast.subject.strip():
        problems.append(Problem("content", "subject", _("Write a subject.")))
    if not composing.has_words(broadcast.body):
        problems.append(Problem("content", "body", _("Write the content.")))
    if broadcast.identity is None:
        problems.append(Problem("content", "identity", _("Choose whom the message comes from.")))
    if problems:
        return problems
    try:
        faults = problems_for_everybody(composing.compiled(composing.source_of(broadcast)))
    except ContentError as error:
        faults = error.problems
    return [Problem("content", LAYOUT_FIELDS.get(one.field, one.field), one.message, one.line) for one in faults]


def audience_problems(counted: Count) -> list[Problem]:
    """What is wrong with whom it goes to."""
    if not counted.total:
        return [Problem("targets", "contacts", _("Choose at least one customer, product or list."))]
    if not counted.will_receive:
        return [Problem("targets", "contacts", _("Nobody of the targets can be sent to: all are skipped."))]
    return []


def problems(broadcast: Broadcast, counted: Count) -> list[Problem]:
    """Everything that stands in the way of sending."""
    return whom_problems(broadcast, counted) + said_problems(broadcast)


def whom_problems(broadcast: Broadcast, counted: Count) -> list[Problem]:
    """What is wrong with whom it goes to. A message whose audience lives may wait for its first reader."""
    waits = noticing.is_notice(broadcast) and not broadcast.plan.fixed and bool(targets_of(broadcast.audience))
    return [] if waits else audience_problems(counted)


def said_problems(broadcast: Broadcast) -> list[Problem]:
    """What is wrong with what it says, on dashboards and in the e-mail, as far as it goes there."""
    if not noticing.is_notice(broadcast):
        return content_problems(broadcast)
    return noticing.problems(broadcast) or (content_problems(broadcast) if noticing.wants_email(broadcast) else [])


def checklist(broadcast: Broadcast, counted: Count) -> list[Check]:
    """What was looked at before sending, for the author."""
    to, says = whom_problems(broadcast, counted), said_problems(broadcast)
    transport = broadcast.identity.transport if broadcast.identity else None
    checks = [
        Check(_("Somebody gets it"), not to, _said(to), "targets"),
        Check(_("The content can be sent"), not says, _said(says), "content"),
    ]
    if noticing.is_notice(broadcast):
        if not noticing.wants_email(broadcast):
            return checks
        checks.append(_in_time(broadcast))
    checks.append(
        Check(
            _("It has a preview text"),
            bool(broadcast.preheader.strip()),
            _("Most mailboxes show it after the subject."),
            "content",
            blocking=False,
        )
    )
    if broadcast.purpose == Purpose.MARKETING:
        address = settings.get(schema.POSTAL_ADDRESS).strip()
        hint = _("The law of many countries asks for it in marketing e-mail. It is entered under Settings.")
        checks.append(Check(_("The footer has your postal address"), bool(address), hint, blocking=False))
    if transport is not None:
        checks.append(
            Check(
                _("The transport is ready: %(name)s") % {"name": transport},
                transport.paused_at is None,
                _("It is paused: %(reason)s") % {"reason": wording.said(transport.paused_reason)},
                blocking=False,
            )
        )
    return checks


def _in_time(broadcast: Broadcast) -> Check:
    hint = _("Its readers would learn of it too late: wait fewer hours, or let the message stand longer.")
    fine = noticing.email_leaves_in_time(broadcast)
    return Check(_("The e-mail leaves while the message stands"), fine, hint, "content", blocking=False)


def _said(problems: list[Problem]) -> str:
    return " ".join(problem.message for problem in problems)
