"""A broadcast as a notice: what it says, whether it can be shown, and who is left out of the e-mail that follows.

Reads only. Pages may import this module.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from envoi.broadcasts.errors import Problem
from envoi.broadcasts.models import Broadcast, NoticePlan
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery.models import Delivery
from envoi.notices import cleaning
from envoi.notices.actions import Wording, wording_problems
from envoi.notices.models import Notice, NoticeRecipient, Reading

_MERGE_TAG = re.compile(r"\{\{|\{%")
FIELDS = ("level", "starts_at", "ends_at", "dismissible", "must_acknowledge", "link_label", "link_url")


def is_notice(broadcast: Broadcast) -> bool:
    """Whether it goes over the channel “notice”."""
    return broadcast.channel == "notice"


def wording_of(broadcast: Broadcast) -> Wording:
    """What the notice will say and how it will stand; without a beginning, it begins now."""
    plan = broadcast.plan
    return Wording(
        subject=broadcast.subject,
        body=broadcast.body,
        level=plan.level,
        starts_at=plan.starts_at or clock.now(),
        ends_at=plan.ends_at,
        dismissible=plan.dismissible,
        must_acknowledge=plan.must_acknowledge,
        link_label=plan.link_label,
        link_url=plan.link_url,
    )


def notice_of(broadcast: Broadcast) -> Notice:
    """The notice as it stands, or as a draft would become it (not stored)."""
    if broadcast.notice is not None:
        return broadcast.notice
    wording = wording_of(broadcast)
    return Notice(**{**wording, "body": cleaning.clean(wording["body"])})


def problems(broadcast: Broadcast) -> list[Problem]:
    """What is wrong with the notice; empty when it can be shown."""
    notice = notice_of(broadcast)
    found = [Problem("content", field, message) for field, message in wording_problems(notice)]
    if not notice.body:
        found.append(Problem("content", "body", _("Write the content.")))
    if broadcast.plan.ends_at and broadcast.plan.ends_at <= clock.now():
        found.append(Problem("content", "ends_at", _("The end lies in the past.")))
    return found + merge_tag_problems(broadcast.subject, broadcast.body)


def merge_tag_problems(subject: str, body: str) -> list[Problem]:
    """Merge tags stand in it, which nobody would fill in."""
    message = _("A message on dashboards is the same for everybody: take the merge tag out.")
    found = [field for field, text in (("subject", subject), ("body", body)) if _MERGE_TAG.search(text)]
    return [Problem("content", field, message) for field in found]


def wants_email(broadcast: Broadcast) -> bool:
    """Whether an e-mail goes with it."""
    return is_notice(broadcast) and broadcast.plan.email != NoticePlan.Email.NONE


def email_due(plan: NoticePlan, starts_at: datetime) -> datetime:
    """When the e-mail that goes with a notice is to start."""
    waits = plan.email == NoticePlan.Email.UNSEEN
    return starts_at + timedelta(hours=plan.email_after_hours if waits else 0)


def email_leaves_in_time(broadcast: Broadcast) -> bool:
    """Whether the notice still stands when its e-mail starts."""
    plan = broadcast.plan
    return plan.ends_at is None or email_due(plan, plan.starts_at or clock.now()) < plan.ends_at


def left_out(broadcast: Broadcast) -> dict[Delivery.SkipReason, Q]:
    """Whom the e-mail leaves out besides: who saw the notice, and who was not a target when the audience was fixed."""
    found: dict[Delivery.SkipReason, Q] = {}
    if broadcast.plan.email == NoticePlan.Email.UNSEEN:
        found[Delivery.SkipReason.SEEN_NOTICE] = _of(
            Reading.objects.filter(notice=broadcast.notice_id).values("contact")
        )
    if broadcast.plan.fixed:
        fixed = NoticeRecipient.objects.filter(notice=broadcast.notice_id).values("contact")
        found[Delivery.SkipReason.EXCLUDED] = ~_of(fixed)
    return found


def _of(contacts: QuerySet[Any]) -> Q:
    """Rows to an address that one of these contacts holds."""
    return Q(address_key__in=Contact.objects.filter(pk__in=contacts).values("address_key"))
