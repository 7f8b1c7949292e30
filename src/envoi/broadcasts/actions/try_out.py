"""Send a broadcast to a few addresses to see it: at once, over the real transport, counted nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.broadcasts import envelope, readiness, showing
from envoi.broadcasts.composing import compiled
from envoi.broadcasts.errors import BroadcastError, NotReady
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact
from envoi.content import merge_tags
from envoi.content.compile import ContentError
from envoi.content.headers import HeaderError
from envoi.core import clock, keys
from envoi.delivery import dkim, relay
from envoi.delivery.models import Purpose
from envoi.delivery.smtp import Accepted, Envelope, NotSent, Outcome, Pool, SmtpSettings, Unknown


@dataclass(frozen=True, slots=True)
class TryOut:
    """What became of one test message.

    Attributes:
        summary: for people.
        answer: the server's own words; "" when it said nothing.
    """

    address: str
    accepted: bool
    summary: str
    answer: str = ""


def send_test(
    broadcast: Broadcast, addresses: Sequence[str], as_contact: Contact | None, *, actor: User | None
) -> list[TryOut]:
    """Send it to `addresses` as `as_contact` would get it, marked [Test].

    No delivery is recorded and nothing in it is tracked; suppressed addresses are written to as well, since a person
    typed them on purpose.

    Raises:
        NotReady: the content cannot be sent.
        BroadcastError: the transport or a DKIM key cannot be used.
    """
    problems = readiness.content_problems(broadcast)
    if problems or broadcast.identity is None:
        raise NotReady(problems)
    try:
        envelopes = _written(broadcast, addresses, as_contact)
        settings = relay.settings_of(broadcast.identity.transport)
    except (ContentError, HeaderError, relay.RelayNotReady) as error:
        raise BroadcastError(str(error)) from error
    with transaction.atomic():
        audit.record(actor, "broadcast_test", broadcast, addresses=list(addresses))
    outcomes = asyncio.run(_sent(settings, envelopes))
    return [_result(one.rcpt_to, outcome) for one, outcome in zip(envelopes, outcomes, strict=True)]


def _written(broadcast: Broadcast, addresses: Sequence[str], contact: Contact | None) -> list[Envelope]:
    source, sender = showing.content_of(broadcast)
    skeleton = compiled(replace(source, subject=f"[Test] {source.subject}", track_opens=False))
    lines = envelope.Headers(sender, bulk=broadcast.purpose != Purpose.TRANSACTIONAL, feedback="test")
    specials = envelope.example_links()
    found, now, by = [], clock.now(), dkim.signer()
    for address in addresses:
        shown_as = contact.address if contact else address
        person = merge_tags.person(contact, address=shown_as, organisation=sender.organisation)
        written = lines.of(
            to_name="",
            to=address,
            message_id=f"<{keys.random_key()}.test@{sender.domain}>",
            date=now,
            unsubscribe=specials["unsubscribe_url"],
        )
        data = skeleton.message(person, specials, written)
        found.append(Envelope(sender.from_address, address, by.sign(data, now) if by else data))
    return found


async def _sent(settings: SmtpSettings, envelopes: Sequence[Envelope]) -> list[Outcome]:
    async with Pool(settings, max_connections=1) as pool:
        return list(await asyncio.gather(*(pool.send(one) for one in envelopes)))


def _result(address: str, outcome: Outcome) -> TryOut:
    if isinstance(outcome, Accepted):
        return TryOut(address, True, _("The server accepted it."), _words(outcome))
    if isinstance(outcome, Unknown):
        return TryOut(address, False, _("It was handed over, but no answer came: %s") % outcome.error)
    if isinstance(outcome, NotSent):
        return TryOut(address, False, _("It could not be sent: %s") % outcome.error)
    return TryOut(address, False, _("The server refused it."), _words(outcome))


def _words(outcome: Outcome) -> str:
    reply = getattr(outcome, "reply", None)
    return str(reply) if reply else ""
