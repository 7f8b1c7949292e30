"""Return paths that name the delivery (VERP): what bounces to one can be laid to the right row, and cannot be forged.

Form: `bounces+TOKEN@domain`, TOKEN of `envoi.delivery.tokens` in hexadecimal: 30 characters, well below the 64 of a
local part (RFC 5321 §4.5.3.1.1). Relays on the way back may change the case of a local part; hexadecimal does not mind.
"""

from __future__ import annotations

from envoi.core.signing import BadToken
from envoi.delivery import tokens

PREFIX = "bounces+"


class NotAReturnPath(ValueError):
    """The address is no return path of this installation."""


def make(delivery_id: int, domain: str) -> str:
    """The return path of a delivery, the same on every attempt."""
    return f"{PREFIX}{tokens.of(delivery_id).return_path}@{domain}"


def read(address: str) -> int:
    """The delivery's id that a return path names, in whatever case it came back.

    Raises:
        NotAReturnPath: it was not made by `make` with this installation's key.
    """
    local = address.strip().strip("<>").rpartition("@")[0].lower()
    token = local.removeprefix(PREFIX)
    if token == local:
        raise NotAReturnPath("not the form of a return path")
    try:
        return tokens.read_return_path(token)
    except BadToken as error:
        raise NotAReturnPath(str(error)) from error
