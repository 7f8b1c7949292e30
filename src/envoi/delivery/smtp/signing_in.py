"""Signing in to a server (RFC 4954): PLAIN, LOGIN, CRAM-MD5 and XOAUTH2, over TLS or to this machine only."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable

from envoi.delivery.smtp.outcomes import Fault, FaultKind
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import Reply
from envoi.delivery.smtp.wire import WireBroken

Ask = Callable[[bytes, str], Awaitable[Reply]]  # send a line, shown as …; get the answer


def chosen(offered: frozenset[str], token: bool) -> str:
    """The mechanism to use, or "": with a token only XOAUTH2; with a password the simplest, since TLS protects it."""
    wanted = ("XOAUTH2",) if token else ("PLAIN", "LOGIN", "CRAM-MD5")
    return next((name for name in wanted if name in offered), "")


async def sign_in(mechanism: str, username: str, secret: str, ask: Ask) -> Reply:
    """The server's last word: 235, or a refusal."""
    if mechanism == "PLAIN":
        return await ask(b"AUTH PLAIN " + _encoded(f"\0{username}\0{secret}"), "AUTH PLAIN ••••••")
    if mechanism == "XOAUTH2":
        return await _xoauth2(username, secret, ask)
    reply = await ask(f"AUTH {mechanism}".encode(), f"AUTH {mechanism}")
    if reply.code != 334:
        return reply
    if mechanism == "CRAM-MD5":
        digest = hmac.digest(secret.encode(), _challenge(reply), "md5").hex()
        return await ask(_encoded(f"{username} {digest}"), "••••••")
    reply = await ask(_encoded(username), "••••••")
    return await ask(_encoded(secret), "••••••") if reply.code == 334 else reply


async def _xoauth2(username: str, token: str, ask: Ask) -> Reply:
    opening = _encoded(f"user={username}\1auth=Bearer {token}\1\1")
    reply = await ask(b"AUTH XOAUTH2 " + opening, "AUTH XOAUTH2 ••••••")
    # A 334 here holds the reason of the refusal in JSON; an empty line asks for the refusal itself.
    return await ask(b"", "") if reply.code == 334 else reply


def _encoded(text: str) -> bytes:
    return b64encode(text.encode())


def _challenge(reply: Reply) -> bytes:
    try:
        return b64decode(reply.text, validate=True)
    except (Base64Error, ValueError) as error:
        raise WireBroken(
            Fault(FaultKind.GARBAGE, "the server's CRAM-MD5 challenge is not base64"), Phase.AUTH
        ) from error
