"""From keys and a message to the message with its signatures (RFC 6376 §3.5, §5; Ed25519: RFC 8463 §3).

Guarantee: the same message, time and keys give the same bytes, since both algorithms are deterministic: every attempt
of a delivery is one and the same message.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import getaddresses

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from envoi.core import addresses
from envoi.delivery.dkim import canonical

# What a reader sees or a program acts on. RFC 6376 §5.4.1, RFC 8058 §4 (List-Unsubscribe…), Gmail's Feedback-ID.
SIGNED = (
    *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "Sender"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "Precedence", "Feedback-ID"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive", "CFBL-Address"),
)
# Named once more than they occur, so that a second one, or a first, cannot be added (RFC 6376 §5.4.2, §8.15).
SEALED = frozenset(("From", "To", "Cc", "Subject", "Date", "Reply-To"))
WIDTH = 78
# Stand where the time and the body hash will: of their length, and nothing that a domain or selector may hold.
_TIME, _HASH = "\x01" * 10, "\x02" * 44
_AT_MOST = 1000

_names = [(name.lower().encode(), name, name in SEALED) for name in SIGNED]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in use.

    Attributes:
        algorithm: as in a= (“rsa-sha256”, “ed25519-sha256”).
        sign: from the canonical header to the raw signature.
    """

    domain: str
    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]


class Signer:
    """Signs messages with the keys of their From domain; messages of other domains stay as they are.

    Holds no database: `keys_of` gives the keys of a domain (A-labels, lower case) and is asked once for each.
    """

    def __init__(self, keys_of: Callable[[str], Sequence[SigningKey]]) -> None:
        self._keys_of = keys_of
        self._by_sender: dict[bytes, Sequence[SigningKey]] = {}
        self._forms: dict[tuple[SigningKey, str], _Form] = {}

    def sign(self, message: bytes, at: datetime) -> bytes:
        """The message (RFC 5322 form, CRLF) with one DKIM-Signature field per key in front; t= is `at`."""
        end = message.find(b"\r\n\r\n")
        head, body = (message, b"") if end < 0 else (message[:end], message[end + 4 :])
        fields = canonical.headers(head)
        sender = [line for name, line in fields if name == b"from"]
        keys = self._keys_for(sender[0]) if len(sender) == 1 else ()
        if not keys:
            return message
        names, lines = _chosen(fields)
        time = str(int(at.timestamp())).zfill(10)
        body_hash = b64encode(digest(canonical.body(body))).decode()
        signatures = [self._form(key, names).signature(lines, time, body_hash) for key in keys]
        return b"".join((*signatures, message))

    def _keys_for(self, sender: bytes) -> Sequence[SigningKey]:
        found = self._by_sender.get(sender)
        if found is None:
            if len(self._by_sender) >= _AT_MOST:
                self._by_sender.clear()
            domain = from_domain(sender)
            found = self._by_sender[sender] = self._keys_of(domain) if domain else ()
        return found

    def _form(self, key: SigningKey, names: str) -> _Form:
        form = self._forms.get((key, names))
        if form is None:
            if len(self._forms) >= _AT_MOST:
                self._forms.clear()
            form = self._forms[key, names] = _Form(key, names)
        return form


class _Form:
    """The field of one key over one choice of header names: all but time, body hash and signature, already folded."""

    def __init__(self, key: SigningKey, names: str) -> None:
        tags = ["v=1;", f"a={key.algorithm};", "c=relaxed/relaxed;", f"d={key.domain};", f"s={key.selector};"]
        parts = [f"{tag} " for tag in tags] + [f"t={_TIME}; ", f"bh={_HASH}; "]
        parts += [f"h={names};".replace(":", ":\n")]
        raw = _folded("DKIM-Signature: ", "".join(parts).replace(" ", "\n ").split("\n"))
        self._key = key
        self._raw = (raw + "\r\n b=").encode()
        [(_name, line)] = canonical.headers(self._raw)
        self._line = line

    def signature(self, lines: bytes, time: str, body_hash: str) -> bytes:
        """The whole field with CRLF."""
        line = self._filled(self._line, time, body_hash)
        text = b64encode(self._key.sign(lines + line))
        folded = b"\r\n ".join(text[start : start + 72] for start in range(0, len(text), 72))
        return self._filled(self._raw, time, body_hash) + folded + b"\r\n"

    @staticmethod
    def _filled(form: bytes, time: str, body_hash: str) -> bytes:
        return form.replace(_TIME.encode(), time.encode(), 1).replace(_HASH.encode(), body_hash.encode(), 1)


def from_domain(field: bytes) -> str:
    """The domain of the one address in a From field, as A-labels; "" when there is not exactly one."""
    text = field.partition(b":")[2].decode("utf-8", "replace")
    found = getaddresses([text])
    if len(found) != 1:
        return ""
    try:
        return addresses.parse(found[0][1]).domain
    except addresses.AddressError:
        return ""


def _chosen(fields: Sequence[tuple[bytes, bytes]]) -> tuple[str, bytes]:
    """The value of h=, and the fields it names; of several fields with one name the last first (RFC 6376 §5.4.2)."""
    present: dict[bytes, list[bytes]] = {}
    for key, line in fields:
        present.setdefault(key, []).append(line)
    names: list[str] = []
    lines: list[bytes] = []
    for key, name, sealed in _names:
        found = present.get(key, ())
        names += [name] * (len(found) + sealed)
        lines += reversed(found)
    return ":".join(names), b"\r\n".join([*lines, b""])


def _folded(start: str, pieces: Sequence[str]) -> str:
    """`start` and the pieces in lines of at most `WIDTH` where their lengths allow; a fold stands before a piece."""
    lines = [start]
    for piece in pieces:
        if len(lines[-1]) + len(piece) <= WIDTH:
            lines[-1] += piece
        else:
            lines.append(f" {piece.lstrip()}")
    return "\r\n".join(lines)


def digest(data: bytes) -> bytes:
    """SHA-256."""
    # hashlib would give the interpreter away for more than 2 KB and wait for it up to 5 ms while it is busy.
    made = Hash(SHA256())
    made.update(data)
    return made.finalize()
