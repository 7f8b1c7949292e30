"""Show a broadcast on dashboards, change or end it there, and send the e-mail that goes with it when it is due."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.broadcasts import channels, composing, noticing, readiness
from envoi.broadcasts.actions.draft import locked_draft
from envoi.broadcasts.actions.send import freeze_content, surprise
from envoi.broadcasts.actions.steer import NotSteerable
from envoi.broadcasts.errors import NotReady, Problem
from envoi.broadcasts.events import BroadcastFinished, BroadcastStarted
from envoi.broadcasts.models import Broadcast, FrozenContent, NoticePlan
from envoi.content.problems import ContentError
from envoi.core import clock
from envoi.core.events import announce
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Mailing
from envoi.notices import actions as notices
from envoi.notices.models import Notice
from envoi.tracking.actions.register_links import Link, register_links

Status = Broadcast.Status


class Plan(TypedDict, total=False):
    """The fields of a plan that may be chosen."""

    level: str
    starts_at: datetime | None
    ends_at: datetime | None
    dismissible: bool
    must_acknowledge: bool
    link_label: str
    link_url: str
    fixed: bool
    email: str
    email_after_hours: int


def change_plan(broadcast: Broadcast, *, actor: User | None, **plan: Unpack[Plan]) -> NoticePlan:
    """Say how a draft is to be shown.

    Raises:
        NotADraft: it has started meanwhile.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        stands = draft.plan
        changed = [name for name, value in plan.items() if getattr(stands, name) != value]
        for name in changed:
            setattr(stands, name, plan[name])  # type: ignore[literal-required]
        if changed:
            stands.save(update_fields=changed)
            audit.record(actor, "broadcast_change", draft, fields=changed)
    return stands


def show(
    broadcast: Broadcast, *, actor: User | None, confirmed: int | None = None, subject_alone: bool = False
) -> Notice:
    """Publish the notice, and order the e-mail that goes with it, if one does: all of it or nothing.

    Args:
        confirmed: the number of people that was shown when somebody said “send”; None asks for no such promise.
        subject_alone: whether it may go without content, as scripts want it.

    Raises:
        NotADraft: it has started already.
        NotReady: something stands in the way, or more people would see it now than were confirmed.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        counted = readiness.count(draft)
        problems = readiness.problems(draft, counted) or surprise(counted.will_receive, confirmed)
        if subject_alone and not draft.body:
            problems = [problem for problem in problems if problem.field != "body"]
        if problems:
            raise NotReady(problems)
        plan, now = draft.plan, clock.now()
        notice = notices.publish(draft.audience, fixed=plan.fixed, actor=actor, **noticing.wording_of(draft))
        draft.notice, draft.status, draft.started_at = notice, Status.SHOWING, now
        draft.save(update_fields=["notice", "status", "started_at"])
        if plan.email != NoticePlan.Email.NONE:
            freeze_content(draft)
            plan.email_due_at = noticing.email_due(plan, notice.starts_at)
            plan.save(update_fields=["email_due_at"])
            if plan.email_due_at <= clock.now():
                _start_email(draft, actor)
        audit.record(actor, "broadcast_show", draft, people=counted.will_receive)
        announce(BroadcastStarted(draft.pk, draft.mailing_id, notice.pk))
    return notice


def change_shown(broadcast: Broadcast, *, actor: User | None, **wording: Unpack[notices.Wording]) -> Notice:
    """Alter the notice while it stands. An e-mail that is frozen already stays as it is.

    Raises:
        NotSteerable: it was withdrawn.
        NotReady: the notice cannot be so, or would lose its content.
    """
    tags = noticing.merge_tag_problems(wording.get("subject", ""), wording.get("body", ""))
    if tags:
        raise NotReady(tags)
    with transaction.atomic():
        row = _shown(broadcast)
        if row.body and not wording.get("body", row.body):
            raise NotReady([Problem("content", "body", _("Write the content."))])
        try:
            changed = notices.change(_notice(row), actor=actor, **wording)
        except notices.NoticeOver as error:
            raise NotSteerable(str(error)) from error
        except notices.NoticeRefused as error:
            raise NotReady([Problem("content", field, message) for field, message in error.problems]) from error
        row.subject, row.body = changed.subject, changed.body
        if row.plan.email_due_at is not None:
            NoticePlan.objects.filter(broadcast=row).update(
                email_due_at=noticing.email_due(row.plan, changed.starts_at)
            )
        if row.status == Status.FINISHED and not changed.has_ended:
            row.status, row.finished_at = Status.SHOWING, None
        row.save(update_fields=["subject", "body", "status", "finished_at"])
    return changed


def end_early(broadcast: Broadcast, *, actor: User | None) -> None:
    """Take it off dashboards now; an e-mail that has not started is called off.

    Raises:
        NotSteerable: it is over already.
    """
    _stop(broadcast, Status.FINISHED, actor)


def withdraw(broadcast: Broadcast, *, actor: User | None) -> None:
    """Take it back, also from people's past messages; an e-mail that has not left is called off.

    Raises:
        NotSteerable: it was withdrawn before.
    """
    _stop(broadcast, Status.WITHDRAWN, actor)


def tend() -> None:
    """Start the e-mails that are due, and note the notices whose time is over."""
    now = clock.now()
    for pk in NoticePlan.objects.filter(email_due_at__lte=now).values_list("broadcast_id", flat=True):
        start_email(pk)
    ended = Broadcast.objects.filter(status=Status.SHOWING, notice__ends_at__lte=now)
    for pk in ended.values_list("pk", flat=True):
        with transaction.atomic():
            if Broadcast.objects.filter(pk=pk, status=Status.SHOWING).update(status=Status.FINISHED, finished_at=now):
                announce(BroadcastFinished(pk, cancelled=False))


def start_email(broadcast_id: int) -> Mailing | None:
    """Start the e-mail of a notice if it is due and not called off; None otherwise.

    What cannot be written any more is told on the broadcast's page and not tried again.
    """
    try:
        with transaction.atomic():
            row = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast_id)
            if row.plan.email_due_at is None or row.plan.email_due_at > clock.now() or row.mailing_id:
                return None
            return _start_email(row, None)
    except ContentError as error:
        NoticePlan.objects.filter(broadcast=broadcast_id).update(email_due_at=None, email_problem=str(error))
        return None


def _start_email(row: Broadcast, actor: User | None) -> Mailing:
    plan = row.plan
    plan.email_due_at = None
    source = composing.read_again(FrozenContent.objects.get(broadcast=row).source)
    if row.identity is None:
        raise NotReady([Problem("content", "identity", _("Choose whom the message comes from."))])
    mailing = mailings.start(
        row.audience,
        reference=f"broadcast:{row.pk}",
        composer=channels.get(row.channel).composer,
        purpose=row.purpose,
        identity=row.identity,
        priority=row.priority,
        actor=actor,
        leave_out=noticing.left_out(row),
    )
    if row.track_clicks:
        found = composing.compiled(source).links
        register_links(mailing, [Link(one.position, one.url, one.label) for one in found], actor=actor)
    row.mailing = mailing
    row.save(update_fields=["mailing"])
    plan.save(update_fields=["email_due_at"])
    return mailing


def _stop(broadcast: Broadcast, status: Broadcast.Status, actor: User | None) -> None:
    with transaction.atomic():
        row = _shown(broadcast)
        withdrawn = status == Status.WITHDRAWN
        try:
            (notices.withdraw if withdrawn else notices.end_now)(_notice(row), actor=actor)
        except notices.NoticeOver as error:
            raise NotSteerable(str(error)) from error
        NoticePlan.objects.filter(broadcast=row).update(email_due_at=None)
        if withdrawn and row.mailing is not None:
            mailings.cancel(row.mailing, actor=actor)
        row.status, row.finished_at = status, clock.now()
        row.save(update_fields=["status", "finished_at"])
        audit.record(actor, "broadcast_withdraw" if withdrawn else "broadcast_end", row)
        announce(BroadcastFinished(row.pk, cancelled=withdrawn))


def _shown(broadcast: Broadcast) -> Broadcast:
    row = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)
    if row.notice_id is None:
        raise NotSteerable(_("It is not on any dashboard."))
    return row


def _notice(row: Broadcast) -> Notice:
    return Notice.objects.get(pk=row.notice_id or 0)
