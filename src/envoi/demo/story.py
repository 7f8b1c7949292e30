"""The whole main job without a browser: from contacts to a click in a mail that went over SMTP.

Guarantee: every number in the report was counted where it happened (ledger, mailbox, activities) and compared with what
the cast makes certain beforehand; `Report.problems` names each difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from django.db import connection, transaction

from envoi.broadcasts.actions import draft
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import preview, progress
from envoi.delivery.sandbox.store import KEPT, mailbox
from envoi.demo import texts
from envoi.demo.cast import Expected, fill
from envoi.demo.reader import Reader
from envoi.tracking.queries import mailing_counts

PATIENCE = 30.0


@dataclass(slots=True)
class Report:
    """What happened, in numbers.

    Attributes:
        skipped: skip reason → number of ledger rows.
        mailbox: messages that the sandbox mailbox holds, and to how many different addresses.
        seconds: of sending, from Send to finished.
        problems: what was not as it must be; empty when all is well.
    """

    database: str
    recipients: int
    candidates: int = 0
    previewed: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    mailbox: int = 0
    mailbox_addresses: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    left_out_next_time: int = 0
    freeze_seconds: float = 0.0
    seconds: float = 0.0
    messages_per_second: float = 0.0
    problems: list[str] = field(default_factory=list)

    def must_be(self, what: str, found: object, expected: object) -> None:
        """Note a problem unless what was found is what was expected."""
        if found != expected:
            self.problems.append(f"{what}: expected {expected}, found {found}")

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "ok": not self.problems}


def tell(recipients: int, *, say: Callable[[str], None]) -> Report:
    """Run the main job for `recipients` people and report. The workers, the web server and the sandbox must be running.

    Args:
        say: told each step as it begins.
    """
    report = Report(database=connection.vendor, recipients=recipients)
    say(f"Inviting {recipients} people, and some who must not be mailed")
    with transaction.atomic():
        expected = fill(recipients)
    broadcast = write(expected)
    count_before(broadcast, expected, report)
    say("Freezing the audience and sending over SMTP")
    mailing = send_and_wait(broadcast, report)
    check_ledger(mailing, expected, report)
    check_mailbox(expected, report)
    if not report.problems:
        say("Reading the mail: the pixel, one link, one unsubscription")
        read_two(report)
        check_afterwards(broadcast, mailing, report)
    return report


def write(expected: Expected) -> Broadcast:
    made = draft.create(
        "email",
        actor=None,
        subject=texts.NEWSLETTER_SUBJECT,
        preheader=texts.NEWSLETTER_PREHEADER,
        body_type=Broadcast.BodyType.HTML,
        body=texts.NEWSLETTER_BODY,
    )
    return draft.change_targets(made, expected.included, expected.excluded, actor=None)


def count_before(broadcast: Broadcast, expected: Expected, report: Report) -> None:
    counted = preview(broadcast.audience, broadcast.purpose)
    report.candidates, report.previewed = counted.total, counted.will_receive
    report.must_be("counted before sending: will get it", counted.will_receive, expected.recipients)
    report.must_be("counted before sending: skipped", _plain(counted.skipped), expected.skipped)


def send_and_wait(broadcast: Broadcast, report: Report) -> Mailing:
    """Press Send and wait until the engine says that it is finished, as long as something goes on."""
    began = time.monotonic()
    mailing = send(broadcast, actor=None)
    report.freeze_seconds = round(time.monotonic() - began, 3)
    for _ in _while_it_moves(mailing):
        if mailing.state == Mailing.State.FINISHED:
            break
    report.seconds = round(time.monotonic() - began, 3)
    report.must_be("state of the mailing", str(mailing.state), str(Mailing.State.FINISHED))
    return mailing


def _while_it_moves(mailing: Mailing) -> Iterator[None]:
    """Look again every tenth of a second, until nothing has changed for `PATIENCE` seconds."""
    left, since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE:
        mailing.refresh_from_db()
        now = progress(mailing).left
        if now != left:
            left, since = now, time.monotonic()
        yield
        time.sleep(0.1)


def check_ledger(mailing: Mailing, expected: Expected, report: Report) -> None:
    found = progress(mailing)
    report.sent, report.failed, report.unknown = found.sent, found.failed, found.unknown
    report.skipped = _plain(found.skipped)
    report.messages_per_second = round(found.sent / report.seconds, 1) if report.seconds else 0.0
    report.must_be("rows of the ledger", mailing.deliveries.count(), report.candidates)
    report.must_be("sent", found.sent, expected.recipients)
    report.must_be("skipped", report.skipped, expected.skipped)


def check_mailbox(expected: Expected, report: Report) -> None:
    """Every message must have arrived once, and none that was not meant to be sent. It keeps the newest `KEPT`."""
    received = mailbox()
    report.mailbox = received.count()
    addresses = received.recipients()
    report.mailbox_addresses = len(addresses)
    kept = min(expected.recipients, KEPT)
    report.must_be("messages in the mailbox", report.mailbox, kept)
    report.must_be("addresses in the mailbox", len(addresses), kept)
    report.must_be("mailed although they must not be", sorted(addresses & expected.never), [])


def read_two(report: Report) -> None:
    """Do what a reader's mail program does: load the pixel, follow a link, unsubscribe with one click."""
    received = mailbox()
    newest = received.list(size=2).rows
    first, second = newest[0], newest[-1]
    for message_id, steps in ((first.id, (Reader.open, Reader.click)), (second.id, (Reader.unsubscribe,))):
        found = received.get(message_id)
        if found is None:
            report.problems.append(f"message {message_id} is gone from the mailbox")
            continue
        reader = Reader(found[1])
        report.problems += [problem for step in steps if (problem := step(reader))]


def check_afterwards(broadcast: Broadcast, mailing: Mailing, report: Report) -> None:
    """The numbers of the broadcast, and that who left is left out from now on."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        counts = mailing_counts(mailing)
        report.opened, report.clicked = counts.opens.unique, counts.clicks.unique
        report.unsubscribed = counts.unsubscribes.unique
        if report.opened and report.clicked and report.unsubscribed:
            break
        time.sleep(0.1)
    for what, found in (("opened", report.opened), ("clicked", report.clicked), ("unsubscribed", report.unsubscribed)):
        report.must_be(what, found, 1)
    again = preview(broadcast.audience, broadcast.purpose)
    report.left_out_next_time = report.previewed - again.will_receive
    report.must_be("left out of the next broadcast", report.left_out_next_time, 1)


def _plain(skipped: dict[Delivery.SkipReason, int]) -> dict[str, int]:
    return {str(reason.value): number for reason, number in skipped.items() if number}
