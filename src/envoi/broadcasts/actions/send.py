"""Start a broadcast: the point of no return."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.broadcasts import channels, composing, readiness
from envoi.broadcasts.actions.draft import locked_draft
from envoi.broadcasts.errors import NotReady, Problem
from envoi.broadcasts.events import BroadcastStarted
from envoi.broadcasts.models import Broadcast, FrozenContent
from envoi.broadcasts.senders import sender_of
from envoi.content.compile import Source
from envoi.core import clock
from envoi.core.events import announce
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Mailing
from envoi.tracking.actions.register_links import Link, register_links


def send(broadcast: Broadcast, *, actor: User | None, confirmed: int | None = None) -> Mailing:
    """Freeze who gets it and what it says, and order its sending: all of it in one transaction, or nothing.

    Args:
        confirmed: the number of people that was shown when somebody said “send”; None asks for no such promise.

    Raises:
        NotADraft: it has started already.
        NotReady: something stands in the way, or more people would get it now than were confirmed.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        if readiness.said_problems(draft) or draft.identity is None:
            raise NotReady(readiness.problems(draft, readiness.count(draft)))
        source = freeze_content(draft)
        mailing = mailings.start(
            draft.audience,
            reference=f"broadcast:{draft.pk}",
            composer=channels.get(draft.channel).composer,
            purpose=draft.purpose,
            identity=draft.identity,
            priority=draft.priority,
            actor=actor,
        )
        # Of those who are frozen, since counting beforehand costs half of a freeze; a refusal takes it all back.
        counted = readiness.count_frozen(mailing)
        if problems := readiness.whom_problems(draft, counted) or surprise(counted.will_receive, confirmed):
            raise NotReady(problems)
        if draft.track_clicks:
            found = composing.compiled(source).links
            register_links(mailing, [Link(one.position, one.url, one.label) for one in found], actor=actor)
        draft.mailing, draft.status, draft.started_at = mailing, Broadcast.Status.SENDING, clock.now()
        draft.save(update_fields=["mailing", "status", "started_at"])
        audit.record(actor, "broadcast_send", draft, recipients=counted.will_receive)
        announce(BroadcastStarted(draft.pk, mailing.pk))
    return mailing


def freeze_content(draft: Broadcast) -> Source:
    """Keep what it says and in whose name."""
    source = composing.source_of(draft)
    FrozenContent.objects.create(
        broadcast=draft, source=composing.written_down(source), sender=sender_of(draft).written_down()
    )
    return source


def surprise(will_receive: int, confirmed: int | None) -> list[Problem]:
    """One in a hundred more is the coming and going of a living list; beyond that a person looks again."""
    if confirmed is None or will_receive <= confirmed * 1.01:
        return []
    message = _("Meanwhile %(now)d people would get it instead of %(before)d. Nothing is sent; please look again.")
    return [Problem("review", "", message % {"now": will_receive, "before": confirmed})]
