"""End the doubt about messages of which nobody knows whether the server took them: by evidence, by a person, by rule.

The rule: a broadcast's are not sent again by themselves; after 72 hours without evidence they are taken as arrived.
Transactional mail is tried once more after ten minutes. Guarantees: only rows whose outcome is unknown are changed;
what is sent again has the same Message-ID; who sends again or marks is recorded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import clock, wording
from envoi.core.tasks import later
from envoi.delivery import evidence
from envoi.delivery.actions.mailing import reopen
from envoi.delivery.models import Delivery, Mailing, Purpose
from envoi.delivery.queries.leases import locked, wait_again
from envoi.delivery.queries.tallies import add_to_tally

State = Delivery.State

AGAIN_AFTER = timedelta(minutes=10)
AT_ONCE = 1000


def mark_sent(mailing: Mailing, *, actor: User | None, ids: Collection[int] | None = None) -> int:
    """Take these unknown ones (all without `ids`) as sent, because a person knows; how many."""
    with transaction.atomic():
        words = wording.gettext("A person marked it as sent.")
        number = _arrived(mailing, ids, words)
        if number:
            audit.record(actor, "mark_sent", mailing, recipients=number)
    return number


def send_again(mailing: Mailing, *, actor: User | None, ids: Collection[int] | None = None) -> int:
    """Send to these unknown ones (all without `ids`) once more; some may get it twice. How many.

    Of a cancelled mailing nobody is; those who are known by now to have got it are settled as sent instead.
    """
    settle_by_evidence(mailing)
    with transaction.atomic():
        current = locked(mailing)
        if current is None or current.state == Mailing.State.CANCELLED:
            return 0
        number = wait_again(current, State.UNKNOWN, ids, detail="")
        if number:
            audit.record(actor, "send_again", mailing, recipients=number)
            if not reopen(current, actor=actor):
                later("delivery.send_shift", mailing_id=mailing.pk)
    return number


def reached(ids: Collection[int]) -> int:
    """Somebody, or their mail server, opened these messages or followed a link in them: those unknown were sent."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for pk, mailing in Delivery.objects.filter(pk__in=ids, state=State.UNKNOWN).values_list("pk", "mailing_id"):
        found[mailing].append(pk)
    if not found:
        return 0
    words = wording.gettext("It was opened or a link in it followed, so it had arrived.")
    number = 0
    with transaction.atomic():
        # In one order, so that two who bring signs never wait for each other's tallies in a circle.
        for one in Mailing.objects.filter(pk__in=found).order_by("pk"):
            number += _arrived(one, found[one.pk], words)
    return number


def settle_by_evidence(mailing: Mailing | None = None) -> int:
    """Open doubts (only of `mailing`, if given) about messages that show signs of having arrived; how many ended.

    Signs that come later end a doubt themselves, by `reached`. These came before it: while nobody knew that the worker
    was dead, or while the server was waited for.
    """
    doubtful = Delivery.objects.filter(attention=State.UNKNOWN, retry_at__isnull=False)
    if mailing is not None:
        doubtful = doubtful.filter(mailing=mailing)
    number = 0
    while ids := evidence.arrived(doubtful, AT_ONCE):
        number += reached(ids)
    return number


def settle_by_rule() -> None:
    """What the rule says, for all whose time has come."""
    now = clock.now()
    due = Delivery.objects.filter(attention=State.UNKNOWN, retry_at__lte=now).order_by("retry_at")
    while ids := list(due.values_list("pk", flat=True)[:AT_ONCE]):
        words = wording.gettext("No sign for 72 hours: taken as arrived, and not sent again.")
        Delivery.objects.filter(pk__in=ids, state=State.UNKNOWN).update(
            retry_at=None, doubt_worker="", doubt_lease=None, detail=words
        )
    personal = Delivery.objects.filter(
        attention=State.UNKNOWN,
        retry_at__isnull=False,
        state_at__lte=now - AGAIN_AFTER,
        attempts=1,
        mailing__purpose=Purpose.TRANSACTIONAL,
    ).exclude(mailing__state=Mailing.State.CANCELLED)
    for mailing in Mailing.objects.filter(pk__in=personal.values("mailing")):
        send_again(mailing, actor=None, ids=list(personal.filter(mailing=mailing).values_list("pk", flat=True)))


def _arrived(mailing: Mailing, ids: Collection[int] | None, words: str) -> int:
    rows = mailing.deliveries.filter(attention=State.UNKNOWN)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    number = rows.update(
        state=State.SENT, detail=words, state_at=clock.now(), retry_at=None, doubt_worker="", doubt_lease=None
    )
    add_to_tally(mailing, Counter({(str(State.UNKNOWN), ""): -number, (str(State.SENT), ""): number}))
    return number
