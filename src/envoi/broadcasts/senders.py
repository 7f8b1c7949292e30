"""In whose name a broadcast goes out: copied from identity and settings when it starts. Plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from envoi.audiences.models import AudienceMember, List
from envoi.broadcasts.models import Broadcast
from envoi.instance import queries as settings
from envoi.instance import schema


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes.

    Attributes:
        domain: of From; Message-ID, List-Id and return path stand under it.
        list_slug, list_name: what List-Id says (RFC 2919): the list it goes to, if it is just one.
        organisation: name, address and website, for merge tags and footer.
    """

    from_name: str
    from_address: str
    reply_to: str
    list_slug: str
    list_name: str
    organisation: dict[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        return self.from_address.rpartition("@")[2]

    def written_down(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def organisation() -> dict[str, str]:
    """What merge tags know of the organisation."""
    asked = settings.get_all()
    return {
        "name": str(asked[schema.ORGANISATION_NAME.name]),
        "address": str(asked[schema.POSTAL_ADDRESS.name]),
        "website": "",
    }


def sender_of(broadcast: Broadcast) -> Sender:
    """In whose name it would go out now. The broadcast has an identity (`readiness` saw to it)."""
    identity = broadcast.identity
    who = organisation()
    lists = List.objects.filter(
        pk__in=broadcast.audience.members.filter(side=AudienceMember.Side.INCLUDE).values("list")
    )[:2]
    only = lists[0] if len(lists) == 1 else None
    return Sender(
        from_name=identity.from_name if identity else "",
        from_address=identity.from_address if identity else "",
        reply_to=identity.reply_to if identity else "",
        list_slug=only.slug if only else "broadcasts",
        list_name=only.name if only else who["name"],
        organisation=who,
    )
