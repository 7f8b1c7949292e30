"""What a Liquid template reads of a person, as a key: whoever has the same key gets the same output."""

from __future__ import annotations

from envoi.content.compile.slots import Data


class Reads:
    """Of one template."""

    def __init__(self, source: str, *, html: bool) -> None:
        pass

    def key(self, data: Data) -> object | None:
        """None when every person must be rendered by themselves."""
        return None
