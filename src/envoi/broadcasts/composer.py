"""Writes the messages of a started broadcast for the delivery engine, from what was frozen when it started.

Guarantee: lines are clean, as `content` writes them; compiled once per shift; one query per batch, for the columns that
the message shows of its readers, whatever the batch's size. Writing a message asks no database.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoi.broadcasts import composing, envelope
from envoi.broadcasts.models import FrozenContent
from envoi.broadcasts.senders import Sender
from envoi.content.compile import MISSING, ContentError, Route, Skeleton
from envoi.content.compile.routes import Data, Specials
from envoi.content.headers import HeaderError
from envoi.content.readers import NAME, Loaded, Readers
from envoi.delivery import return_path, tokens
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.models import Mailing, Purpose
from envoi.tracking import links
from envoi.tracking.models import TrackedLink


class BroadcastComposer:
    """Opens the frozen content of a mailing's broadcast."""

    def open(self, mailing: Mailing) -> Writer:
        """Look up its tracked links and compile it: two queries, once per shift."""
        frozen = FrozenContent.objects.select_related("broadcast").get(broadcast__mailing=mailing)
        addresses = {
            composing.link_special(position): links.click_address(pk)
            for position, pk in TrackedLink.objects.filter(mailing=mailing).values_list("position", "id")
        }
        skeleton = composing.compiled(
            composing.read_again(frozen.source),
            track_clicks=frozen.broadcast.track_clicks,
            addresses=addresses | envelope.addresses(),
        )
        return Writer(mailing, skeleton, Sender(**frozen.sender))


class Writer:
    """Writes one message after the other; a message is one list of pieces, joined once.

    The values that go into it: what is loaded of the reader, the address, the organisation, the tokens.
    """

    def __init__(self, mailing: Mailing, skeleton: Skeleton, sender: Sender) -> None:
        bulk = mailing.purpose != Purpose.TRANSACTIONAL
        self._skeleton = skeleton
        self._headers = envelope.Headers(sender, bulk=bulk, feedback=mailing.key).ready(mailing)
        self._readers = Readers(skeleton.variables)
        self._organisation = tuple(sender.organisation.values())
        address = self._readers.length
        self._layout: dict[Route, int] = {
            **self._readers.layout,
            ("contact", "email"): address,
            ("contact", "address"): address,
            **{("organisation", name): address + 1 + at for at, name in enumerate(sender.organisation)},
        }
        token = address + 1 + len(self._organisation)
        self._tokens = {name: token + at for at, name in enumerate(links.USES)}
        self._frame = skeleton.frame({**self._layout, **{(name,): at for name, at in self._tokens.items()}})
        self._domain = f"@{sender.domain}"

    def load(self, batch: Sequence[Leased], /) -> list[Loaded]:
        return self._readers.load([row.contact_id for row in batch])

    def write(self, row: Leased, loaded: Loaded, /) -> Message | RenderProblem:
        own = tokens.of(row.id)
        name = loaded[NAME]
        values = (*loaded, row.address, *self._organisation, *own)
        try:
            head = self._headers.lines(
                "" if name is MISSING else name, row.address, row.key, row.first_attempt_at, own.unsubscribe
            )
            data = self._frame.join(head, values, _About(self, values))
        except (ContentError, HeaderError) as error:
            return RenderProblem(str(error))
        return Message(f"{return_path.PREFIX}{own.return_path}{self._domain}", data, clean_lines=True)

    def about(self, values: Loaded) -> tuple[Data, Specials]:
        """Person and specials for what Liquid works out."""
        person: dict[str, dict[str, object]] = {"contact": {}, "organisation": {}, "broadcast": {}}
        for route, at in self._layout.items():
            if len(route) == 2 and values[at] is not MISSING:
                person[route[0]][route[1]] = values[at]
        own = {name: values[at].decode("ascii") for name, at in self._tokens.items()}
        return person, self._skeleton.complete(own)


class _About:
    """Answers `Writer.about` of one message, worked out when it is asked first."""

    __slots__ = ("_told", "_values", "_writer")

    def __init__(self, writer: Writer, values: Loaded) -> None:
        self._writer, self._values = writer, values
        self._told: tuple[Data, Specials] | None = None

    def __call__(self) -> tuple[Data, Specials]:
        if self._told is None:
            self._told = self._writer.about(self._values)
        return self._told
