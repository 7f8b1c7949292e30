"""The channels a broadcast can go over: a registry, so that a new one is an entry and not a change of the wizard.

Pure data; other domains and pages may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, slots=True)
class Channel:
    """A way for a broadcast to reach people.

    Attributes:
        name: as stored in `Broadcast.channel`.
        icon: name of the icon the console shows.
        composer: name of the delivery composer that writes its e-mails.
    """

    name: str
    label: StrPromise
    description: StrPromise
    icon: str
    composer: str


_channels: dict[str, Channel] = {}


class UnknownChannel(LookupError):
    """No channel of that name is registered."""


def register(channel: Channel) -> None:
    """Offer `channel` from now on; one of the same name is replaced."""
    _channels[channel.name] = channel


def offered() -> list[Channel]:
    """Every channel, in the order of registration."""
    return list(_channels.values())


def get(name: str) -> Channel:
    """The channel called `name`.

    Raises:
        UnknownChannel: it is not registered.
    """
    try:
        return _channels[name]
    except KeyError as error:
        raise UnknownChannel(f"no channel is called “{name}”; there are: {', '.join(_channels)}") from error


EMAIL = Channel(
    name="email",
    label=_("Email"),
    description=_("A message to everybody’s mailbox, with opens and clicks counted."),
    icon="mail",
    composer="broadcast",
)
register(EMAIL)

NOTICE = Channel(
    name="notice",
    label=pgettext_lazy("channel", "Message"),
    description=_("A notice on everybody’s dashboard, at once; by e-mail as well, if you like."),
    icon="bell",
    composer="broadcast",
)
register(NOTICE)
