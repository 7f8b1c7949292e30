"""What a message that came back says: delivery status notifications (RFC 3464, in the form of RFC 6522). Pure.

Guarantees: no bytes make it raise; what it costs is bounded by `LARGEST`, `MOST_PARTS` and `DEEPEST`, whatever the
message says about itself. Nothing in a message proves anything: whom a report is about, only the address to which it
was sent can say.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# The report stands before the returned message, of which only the head matters; so much is read.
LARGEST = 1024 * 1024
MOST_PARTS = 40
DEEPEST = 4
MOST_RECIPIENTS = 100
LONGEST_HEAD = 256 * 1024


class Action(StrEnum):
    """What the reporting server did (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Other(StrEnum):
    """What a message is that is no report of this kind."""

    AUTO_REPLY = "auto_reply"
    COMPLAINT = "complaint"
    SOMETHING_ELSE = "something_else"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient's block.

    Attributes:
        final, original: the address at which the report ends, and the one that the sender gave; "" when not said.
        status: such as "5.1.1" (RFC 3463), or "". Where the field says only "x.0.0", that of the server's words.
        code: the SMTP reply, such as 550, or None.
        words: what the server said, in one line of at most 1,000 characters, without code and status.
    """

    action: Action
    final: str = ""
    original: str = ""
    status: str = ""
    code: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery status notification.

    Attributes:
        recipients: at least one.
        envelope_id: ENVID of the original message (RFC 3461 §4.4), or "".
        message_id: of the message that is returned, in angle brackets, or "".
    """

    recipients: tuple[Recipient, ...]
    envelope_id: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of a message's head that tell who sent it where, the addresses in the order of their worth."""

    sent_to: tuple[str, ...]
    sender: str
    subject: str


_Fields = dict[str, list[str]]

_FIELD = re.compile(r"^([!-9;-~]{1,100})[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>,;:\"()]{1,320}@[^\s<>,;:\"()]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?:^|(?<=[\s:]))([245]\d\d)(?=[\s#-]|$)")
_SAID = re.compile(r"^(?:[245]\d\d(?:[ -]+|$))?#?(?:[245]\.\d{1,3}\.\d{1,3}(?:[ :-]+|$))?")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_HEADS_OF_RETURNED = {
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
}
_ADDRESSED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_REPLIES_BY_ITSELF = re.compile(r"^\s*auto-(?:replied|generated|notified)|^\s*(?:auto_reply|yes)", re.IGNORECASE)


def read(data: bytes) -> Report | Other:
    """The report that `data`, a message in RFC 5322 form, is; or what it is instead."""
    fields, body = _split(data[:LARGEST].replace(b"\r\n", b"\n"))
    recipients: list[Recipient] = []
    envelope_id = message_id = ""
    complaint = False
    for kind, part in _parts(fields, body):
        if kind in _STATUS_TYPES and not recipients:
            envelope_id, recipients = _status(part)
        elif kind in _HEADS_OF_RETURNED and not message_id:
            message_id = _found(_MESSAGE_ID, _first(_split(part)[0], "message-id"))
        complaint = complaint or kind == "message/feedback-report"
    if complaint:
        return Other.COMPLAINT
    if recipients:
        return Report(tuple(recipients), envelope_id, message_id)
    return Other.AUTO_REPLY if _is_auto_reply(fields) else Other.SOMETHING_ELSE


def head(data: bytes) -> Head:
    """Who sent the message where, as far as its head tells."""
    fields, _ = _split(data[:LARGEST].replace(b"\r\n", b"\n"))
    named = [value for name in _ADDRESSED for value in fields.get(name, [])[:5]]
    sent_to = [address for value in named for address in _ADDRESS.findall(value[:5000])[:20]]
    return Head(
        tuple(dict.fromkeys(sent_to)),
        _found(_ADDRESS, _first(fields, "from")),
        _one_line(_first(fields, "subject"), 200),
    )


def _is_auto_reply(fields: _Fields) -> bool:
    """RFC 3834 §5, and what programs wrote before it; what a mail server says by itself is no reply of a person's."""
    if _DAEMON.match(_found(_ADDRESS, _first(fields, "from"))):
        return False
    said = [*fields.get("auto-submitted", []), *fields.get("precedence", []), *fields.get("x-autoreply", [])]
    return any(_REPLIES_BY_ITSELF.match(value) for value in said) or "x-autorespond" in fields


def _parts(fields: _Fields, body: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts that are not multipart themselves, with their types; the outermost first, without recursion."""
    waiting, number = [(fields, body, 0)], 0
    while waiting and number < MOST_PARTS:
        fields, body, depth = waiting.pop(0)
        number += 1
        content_type = _first(fields, "content-type")
        kind = content_type.partition(";")[0].strip().lower()
        boundary = _BOUNDARY.search(content_type)
        if kind.startswith("multipart/") and boundary and depth < DEEPEST:
            line = re.escape((boundary[1] or boundary[2]).encode("utf-8", "replace"))
            inner = re.split(rb"(?m)^--" + line + rb"(?:--)?[ \t]*$\n?", body, maxsplit=MOST_PARTS)[1:]
            waiting += [(*_split(part), depth + 1) for part in inner[:MOST_PARTS]]
        else:
            yield kind, _decoded(body, _first(fields, "content-transfer-encoding"))


def _decoded(body: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "base64":
            try:
                return binascii.a2b_base64(body)
            except binascii.Error:
                return body
        case "quoted-printable":
            return quopri.decodestring(body)
    return body


def _status(part: bytes) -> tuple[str, list[Recipient]]:
    """ENVID and the recipients of a delivery-status part: blocks of fields, the first of them about the message."""
    text = _text(part)
    blocks = [_fields(block) for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)[: MOST_RECIPIENTS + 1]]
    envelope_id = next((block["original-envelope-id"][0] for block in blocks if "original-envelope-id" in block), "")
    recipients = [found for block in blocks if (found := _recipient(block))]
    return _one_line(envelope_id, 200), recipients


def _recipient(fields: _Fields) -> Recipient | None:
    """What a block says of a recipient; None when it says nothing that can be understood."""
    said = _first(fields, "diagnostic-code")
    words = _one_line(said.partition(";")[2] if ";" in said[:60] else said, 5000)
    status = _best_status(_first(fields, "status"), words)
    action = _action(_first(fields, "action"), status)
    final, original = _address(_first(fields, "final-recipient")), _address(_first(fields, "original-recipient"))
    if action is None or not (final or original or status):
        return None
    code = _CODE.search(words[:200])
    return Recipient(
        action=action,
        final=final,
        original=original,
        status=status,
        code=int(code[1]) if code else None,
        words=_SAID.sub("", words, count=1)[:1000],
    )


def _action(said: str, status: str) -> Action | None:
    """The action; where none is said that there is, what the status means."""
    word = re.match(r"\s*([a-z]{1,20})", said.lower())
    for action in Action:
        if word and word[1] == action:
            return action
    return {"5": Action.FAILED, "4": Action.DELAYED, "2": Action.DELIVERED}.get(status[:1])


def _best_status(said: str, words: str) -> str:
    status, inner = _found(_STATUS, said), _found(_STATUS, words[:200])
    if inner and (not status or (status.endswith(".0.0") and status[0] == inner[0])):
        return inner
    return status


def _address(said: str) -> str:
    """The address of a typed one, such as “rfc822; <ada@example.org>” (RFC 3464 §2.3.2)."""
    return _found(_ADDRESS, said.partition(";")[2] or said)


def _split(message: bytes) -> tuple[_Fields, bytes]:
    """Head and body. A part that begins with an empty line has no head."""
    if message.startswith(b"\n"):
        return {}, message[1:]
    above, _, below = message.partition(b"\n\n")
    return _fields(_text(above)), below


def _fields(text: str) -> _Fields:
    found: _Fields = {}
    for field in _FIELD.finditer(text[:LONGEST_HEAD]):
        found.setdefault(field[1].lower(), []).append(field[2])
    return found


def _first(fields: _Fields, name: str) -> str:
    return fields.get(name, [""])[0][:10_000]


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


def _one_line(text: str, most: int) -> str:
    return _CONTROLS.sub(" ", text).strip()[:most]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def about(report: Report, address: str) -> Recipient:
    """What a report on one message to `address` comes to, in whatever pieces it says it.

    What it says of this address counts, else all of it: beyond a forward the recipients have other names. One that got
    it (delivered, relayed, expanded) outweighs others that did not, as behind an address that stands for several.
    """
    named = [one for one in report.recipients if address.lower() in (one.final.lower(), one.original.lower())]
    return min(named or report.recipients, key=_weight)


def _weight(one: Recipient) -> int:
    order: Sequence[Action] = (Action.DELIVERED, Action.RELAYED, Action.EXPANDED, Action.FAILED, Action.DELAYED)
    return order.index(one.action)
