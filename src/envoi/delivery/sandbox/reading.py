"""A received message as a mail program would show it. Anything can be read; what cannot be understood is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

_URI = re.compile(r"<\s*(https?://[^<>\s]+|mailto:[^<>\s]+)\s*>", re.IGNORECASE)
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "�")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text; `size` in bytes after decoding."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader sees.

    Attributes:
        headers: in their order, decoded.
        one_click: the address that takes a one-click POST (RFC 8058), "" when it is not offered.
        unsubscribe: every address of List-Unsubscribe.
    """

    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    attachments: tuple[Attachment, ...]
    one_click: str
    unsubscribe: tuple[str, ...]


def read(raw: bytes) -> Reading:
    """Understand `raw` as far as it can be."""
    parsed = message_from_bytes(raw, policy=policy.default)
    headers = tuple((name, _decoded(parsed, index)) for index, name in enumerate(parsed.keys()))
    by_name = {name.lower(): value for name, value in reversed(headers)}
    unsubscribe = tuple(_URI.findall(by_name.get("list-unsubscribe", "")))
    offered = by_name.get("list-unsubscribe-post", "").replace(" ", "").lower() == "list-unsubscribe=one-click"
    return Reading(
        headers=headers,
        html=_body(parsed, "html"),
        text=_body(parsed, "plain"),
        attachments=tuple(_attachments(parsed)),
        one_click=next((uri for uri in unsubscribe if uri.lower().startswith("http") and offered), ""),
        unsubscribe=unsubscribe,
    )


def _decoded(message: EmailMessage, index: int) -> str:
    try:
        value = str(list(message.values())[index])
    except Exception:  # the standard library fails in many ways over broken headers
        value = str(list(message.raw_items())[index][1])
    return _shown(" ".join(value.split("\r\n")))


def _body(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
        return _shown(str(part.get_content())) if part is not None else ""
    except Exception:  # unknown charsets, broken encodings: shown as bytes allow
        payload = part.get_payload(decode=True) if part is not None else b""
        return _shown(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else "")


def _attachments(message: EmailMessage) -> list[Attachment]:
    found = []
    try:
        parts = list(message.iter_attachments()) if message.is_multipart() else []
    except Exception:  # a malformed structure has no attachments worth naming
        return []
    for part in parts:
        payload = part.get_payload(decode=True)
        size = len(payload) if isinstance(payload, bytes) else 0
        found.append(Attachment(_shown(part.get_filename() or ""), part.get_content_type(), size))
    return found


def _shown(text: str) -> str:
    return text.encode("utf-8", "replace").decode().translate(_CONTROLS)
