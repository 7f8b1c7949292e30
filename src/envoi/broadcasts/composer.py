"""Writes the messages of a started broadcast for the delivery engine, from what was frozen when it started.

Guarantee: compiled once per shift; one query per batch, for its contacts, whatever its size.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoi.broadcasts import composing, envelope
from envoi.broadcasts.models import FrozenContent
from envoi.broadcasts.senders import Sender
from envoi.contacts.models import Contact
from envoi.content import merge_tags
from envoi.content.compile import ContentError, Skeleton
from envoi.content.headers import HeaderError
from envoi.delivery import return_path
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.models import Mailing, Purpose
from envoi.tracking import links
from envoi.tracking.models import TrackedLink


class BroadcastComposer:
    """Opens the frozen content of a mailing's broadcast."""

    def open(self, mailing: Mailing) -> Writer:
        """Compile it and look up its tracked links: two queries, once per shift."""
        frozen = FrozenContent.objects.select_related("broadcast").get(broadcast__mailing=mailing)
        return Writer(
            mailing,
            composing.compiled(composing.read_again(frozen.source), track_clicks=frozen.broadcast.track_clicks),
            Sender(**frozen.sender),
            {
                composing.link_special(position): pk
                for position, pk in TrackedLink.objects.filter(mailing=mailing).values_list("position", "id")
            },
            bulk=mailing.purpose != Purpose.TRANSACTIONAL,
            feedback=mailing.key,
        )


class Writer:
    """Writes one batch at a time."""

    def __init__(
        self,
        mailing: Mailing,
        skeleton: Skeleton,
        sender: Sender,
        tracked: dict[str, int],
        *,
        bulk: bool,
        feedback: str,
    ) -> None:
        self._mailing = mailing
        self._skeleton, self._sender, self._tracked = skeleton, sender, tracked
        self._headers = envelope.Headers(sender, bulk=bulk, feedback=feedback)

    def load(self, batch: Sequence[Leased], /) -> list[Contact | None]:
        contacts = Contact.objects.in_bulk([row.contact_id for row in batch if row.contact_id])
        return [contacts.get(row.contact_id or 0) for row in batch]

    def write(self, row: Leased, contact: Contact | None, /) -> Message | RenderProblem:
        specials = {name: links.click_url(row.id, link) for name, link in self._tracked.items()}
        specials["open_url"] = links.open_url(row.id)
        specials["webview_url"] = links.webview_url(row.id)
        unsubscribe = specials["unsubscribe_url"] = links.unsubscribe_url(row.id)
        person = merge_tags.person(contact, address=row.address, organisation=self._sender.organisation)
        try:
            lines = self._headers.of(
                to_name=contact.name if contact else "",
                to=row.address,
                message_id=self._mailing.message_id(row.key),
                date=row.first_attempt_at,
                unsubscribe=unsubscribe,
            )
            data = self._skeleton.message(person, specials, lines)
        except (ContentError, HeaderError) as error:
            return RenderProblem(str(error))
        return Message(return_path.make(row.id, self._sender.domain), data)
