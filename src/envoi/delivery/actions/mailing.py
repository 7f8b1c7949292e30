"""Start, pause, resume, cancel and finish a mailing, and try again what did not get through.

Guarantees: a mailing, its frozen ledger and the order for its first shift are committed together or not at all; a
mailing is finished only when the ledger says that every row is in a terminal state.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.models import Audience
from envoi.core import clock, keys, wording
from envoi.core.events import announce
from envoi.core.tasks import later
from envoi.delivery.events import (
    MailingCancelled,
    MailingFinished,
    MailingPaused,
    MailingResumed,
    MailingStarted,
)
from envoi.delivery.models import Delivery, Lease, Mailing, SenderIdentity
from envoi.delivery.queries import freeze, recount
from envoi.delivery.queries.leases import locked, wait_again
from envoi.delivery.queries.ranges import find_strays, has_open_rows, held, rows_of
from envoi.delivery.queries.tallies import add_to_tally, count_skipped

logger = logging.getLogger("envoi.delivery")

State = Mailing.State
Row = Delivery.State

# So few recipients are sent to sooner than a second sender has begun.
ALONE = 500


class AlreadyStarted(Exception):
    """A mailing of this reference exists; nothing was started."""


def start(
    audience: Audience,
    *,
    reference: str,
    composer: str,
    purpose: str,
    identity: SenderIdentity,
    actor: User | None,
    key: str = "",
    priority: int = Mailing.Priority.NORMAL,
    leave_out: Mapping[Delivery.SkipReason, Q] | None = None,
) -> Mailing:
    """Freeze `audience` into the ledger and order the first shift.

    Args:
        reference: what is sent, such as "broadcast:12"; started once and never again.
        composer: the name under which a `Composer` is registered.
        key: the mailing's own random key, when the caller needs it beforehand.
        priority: one of `Mailing.Priority`; personal mail, which somebody waits for, does not stand in line with
            broadcasts.
        leave_out: conditions on ledger rows that are skipped besides, with the reason.

    Raises:
        AlreadyStarted: there is a mailing of this reference.
    """
    now = clock.now()
    wanted = {
        "key": key or keys.random_key(),
        "composer": composer,
        "purpose": purpose,
        "identity": identity,
        "priority": priority,
        "message_id_domain": identity.from_address.rpartition("@")[2],
        "state_changed_by": actor,
    }
    with transaction.atomic():
        mailing, made = Mailing.objects.get_or_create(
            reference=reference, defaults={**wanted, "created_at": now, "state_changed_at": now}
        )
        if not made:
            raise AlreadyStarted(reference)
        mailing.total = freeze(mailing, audience)
        mailing.save(update_fields=["total"])
        for reason, condition in (leave_out or {}).items():
            rows_of(mailing).filter(condition, state=Row.PENDING).update(state=Row.SKIPPED, skip_reason=reason)
        count_skipped(mailing)
        audit.record(actor, "start", mailing, reference=reference, recipients=mailing.total)
        announce(MailingStarted(mailing.pk))
        _call_senders(mailing)
    return mailing


def _call_senders(mailing: Mailing) -> None:
    if mailing.priority >= Mailing.Priority.PERSONAL:
        later("delivery.send_personal", mailing_id=mailing.pk)
        return
    later("delivery.send_shift", mailing_id=mailing.pk)
    if mailing.total > ALONE:
        # A second sender, whom the first would call a tenth of a second later.
        later("delivery.send_shift")


def pause(mailing: Mailing, *, actor: User | None, reason: str = "") -> bool:
    """Hold what has not left; messages on their way are finished. False when it is not running.

    Args:
        reason: for people: as `wording` keeps it, or plain text.
    """
    with transaction.atomic():
        if not _move(mailing, (State.RUNNING,), State.PAUSED, actor, reason):
            return False
        audit.record(actor, "pause", mailing, reason=reason)
        announce(MailingPaused(mailing.pk, reason))
    return True


def pause_for_fault(mailing: Mailing, error: Exception) -> None:
    """Hold a mailing whose messages cannot be made, whatever the reason, where an operator sees it."""
    logger.error("Mailing %s cannot be composed", mailing.pk, exc_info=error)
    reason = wording.gettext("The messages cannot be composed: %(error)s", error=wording.of(error))
    pause(mailing, actor=None, reason=reason)


def resume(mailing: Mailing, *, actor: User | None) -> bool:
    """Go on with a paused mailing. False when it is not paused."""
    with transaction.atomic():
        if not _move(mailing, (State.PAUSED,), State.RUNNING, actor):
            return False
        audit.record(actor, "resume", mailing)
        announce(MailingResumed(mailing.pk))
        later("delivery.send_shift", mailing_id=mailing.pk)
    return True


def cancel(mailing: Mailing, *, actor: User | None) -> bool:
    """Skip everybody who has not got the message; messages on their way are finished. False when it is over already."""
    with transaction.atomic():
        if not _move(mailing, (State.RUNNING, State.PAUSED), State.CANCELLED, actor):
            return False
        skipped = skip_waiting(mailing)
        audit.record(actor, "cancel", mailing, skipped=skipped)
        announce(MailingCancelled(mailing.pk))
    return True


def skip_waiting(mailing: Mailing) -> int:
    """Skip what waits of a cancelled mailing; how many rows. Rows of a live worker follow when it gives them back."""
    with transaction.atomic():
        current = locked(mailing)
        if current is None:
            return 0
        skip = {
            "state": Row.SKIPPED,
            "skip_reason": Delivery.SkipReason.CANCELLED,
            "state_at": clock.now(),
            "retry_at": None,
        }
        # Before the rows: a range that is given back meanwhile stays, and is found.
        free = list(Lease.objects.filter(mailing=mailing, worker="").values_list("pk", flat=True))
        waiting = rows_of(current).filter(~held(live=True), state=Row.PENDING).update(**skip)
        deferred = mailing.deliveries.filter(attention=Row.DEFERRED).update(**skip)
        Lease.objects.filter(pk__in=free).delete()
        Mailing.objects.filter(pk=mailing.pk).update(leased_to=current.last_id)
        add_to_tally(
            mailing,
            Counter(
                {
                    (str(Row.DEFERRED), ""): -deferred,
                    (str(Row.SKIPPED), str(Delivery.SkipReason.CANCELLED)): waiting + deferred,
                }
            ),
        )
    return waiting + deferred


def finish_if_done(mailing: Mailing) -> bool:
    """Finish a running mailing of which no row is open any more; whether it was finished now.

    Every row is read for that, but only when nothing else shows that some are open.
    """
    with transaction.atomic():
        current = locked(mailing)
        if current is None or current.state != State.RUNNING or has_open_rows(current):
            return False
        if recount(current):
            logger.error("Mailing %s has rows that nobody would find; they wait again", mailing.pk)
            find_strays(current)
            return False
        _move(mailing, (State.RUNNING,), State.FINISHED, None)
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=clock.now(), leased_to=current.last_id)
        announce(MailingFinished(mailing.pk))
    return True


def reopen(mailing: Mailing, *, actor: User | None, reason: str = "") -> bool:
    """Let a finished mailing of which rows are open go on. False when it is not finished."""
    with transaction.atomic():
        if not _move(mailing, (State.FINISHED,), State.RUNNING, actor, reason):
            return False
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=None)
        audit.record(actor, "reopen", mailing, reason=reason)
        announce(MailingResumed(mailing.pk))
        later("delivery.send_shift", mailing_id=mailing.pk)
    return True


def retry(mailing: Mailing, *, actor: User | None, failed: bool = False) -> int:
    """Try deferred recipients now, and with `failed` those that failed too; how many will be tried.

    Recipients whose outcome is unknown are left alone: they may have the message. Of a cancelled mailing nobody is.
    """
    with transaction.atomic():
        current = locked(mailing)
        if current is None or current.state == State.CANCELLED:
            return 0
        states = [Row.DEFERRED, Row.FAILED] if failed else [Row.DEFERRED]
        chosen = sum(wait_again(current, state, attempts=0, detail="", first_attempt_at=None) for state in states)
        if chosen:
            audit.record(actor, "retry", mailing, recipients=chosen, failed=failed)
            if not reopen(mailing, actor=actor):
                later("delivery.send_shift", mailing_id=mailing.pk)
    return chosen


def stopped_by_failures(failures: int, attempts: int) -> str:
    """What the error budget says to people, as `wording` keeps it."""
    return wording.gettext(
        "Paused by itself: %(failures)d of the last %(attempts)d recipients failed. See the answers in the log.",
        failures=failures,
        attempts=attempts,
    )


def _move(
    mailing: Mailing, before: tuple[Mailing.State, ...], after: Mailing.State, actor: User | None, reason: str = ""
) -> bool:
    """Change the state if it still is one of `before`, in the database and in `mailing`."""
    now = clock.now()
    changed = Mailing.objects.filter(pk=mailing.pk, state__in=before).update(
        state=after, state_reason=reason, state_changed_at=now, state_changed_by=actor
    )
    if changed:
        mailing.state, mailing.state_reason, mailing.state_changed_at = after, reason, now
        mailing.state_changed_by = actor
    return bool(changed)
