"""Replies of an SMTP server, read from bytes that arrive in any portions (RFC 5321 §4.2, RFC 2034, RFC 3463).

Tolerant where servers are known to sin (long lines, bytes that are no UTF-8, LF alone, a code that changes between the
lines of one reply: the last counts), strict where a guess could cost a message: a line without a code is no reply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

LONGEST = 64 * 1024
LONGEST_REMEMBERED = 2048
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:\s+|$)")
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127), "�")


class NoReply(ValueError):
    """What the server sent is no SMTP reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server.

    Attributes:
        code: three digits, such as 250.
        status: the enhanced status code, such as "5.1.1", or "" (also when its class contradicts the code).
        text: the rest, lines joined with LF, without codes; never holds control characters.
        raw: the bytes as received; empty for a refusal that Envoi itself made.
    """

    code: int
    status: str = ""
    text: str = ""
    raw: bytes = b""

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.status, self.text) if part)

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return self.code >= 500


class ReplyParser:
    """Cuts the stream of one connection into replies."""

    __slots__ = ("_buffer", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether nothing of a further reply has arrived."""
        return not self._buffer and not self._lines

    def feed(self, data: bytes) -> Sequence[Reply]:
        """The replies that `data` completes.

        Raises:
            NoReply: a line begins with no code, or a reply exceeds 64 KiB; nothing more can be read from here.
        """
        if self._buffer or self._lines:
            return self._cut(self._buffer + data)
        # Between two messages a server says the same again and again but for the first line, which names the message.
        end = data.find(b"\n") + 1
        if data[3:4] == b"-":
            return self._cut(data)
        following = _seen_together.get(data[end:])
        if following is not None:
            return [self._single(data[: end - 1]), *following]
        replies = self._cut(data)
        if len(replies) == 4 and self.empty and len(data) < LONGEST_REMEMBERED:
            _remember(_seen_together, data[end:], tuple(replies[1:]))
        return replies

    def _cut(self, data: bytes) -> list[Reply]:
        *lines, self._buffer = data.split(b"\n")
        replies = []
        for line in lines:
            reply = self._line(line)
            if reply is not None:
                replies.append(reply)
        if self._size + len(self._buffer) > LONGEST:
            raise NoReply("the server's answer has no end")
        return replies

    def _line(self, line: bytes) -> Reply | None:
        if line[3:4] != b"-" and not self._lines:
            return self._single(line)
        _check(line)
        if line[3:4] == b"-":
            self._lines.append(line)
            self._size += len(line) + 1
            if self._size > LONGEST:
                raise NoReply("the server's answer has no end")
            return None
        lines, self._lines, self._size = [*self._lines, line], [], 0
        return _parsed(lines)

    @staticmethod
    def _single(line: bytes) -> Reply:
        known = _seen.get(line)
        if known is None:
            _check(line)
            known = _remember(_seen, line, _parsed([line]))
        return known


def smooth(replies: Sequence[Reply]) -> bool:
    """Whether these four accept a message and the whole envelope of the next."""
    dot, mail, rcpt, data = replies
    return dot.code == 250 and mail.code == 250 and rcpt.code == 250 and data.code == 354


# A server answers MAIL, RCPT and DATA with the same words a million times; parsing them once saves a tenth of the
# client's time.
_seen: dict[bytes, Reply] = {}
_seen_together: dict[bytes, tuple[Reply, ...]] = {}


def _check(line: bytes) -> None:
    code = line[:3]
    if not (code.isdigit() and len(code) == 3 and b"2" <= code[:1] <= b"5" and line[3:4] in b" -\r"):
        raise NoReply(f"“{_readable(line[:80])}” is no answer of a mail server")


def _remember(memory: dict[bytes, T], said: bytes, meaning: T) -> T:
    if len(memory) > 500:
        memory.clear()
    memory[said] = meaning
    return meaning


def _parsed(lines: list[bytes]) -> Reply:
    code = int(lines[-1][:3])
    texts, status = [], ""
    for line in lines:
        text = _readable(line[4:].rstrip(b"\r"))
        found = _STATUS.match(text)
        if found and found[1] == str(code)[0]:
            status = status or ".".join(found.groups())
            text = text[found.end() :]
        texts.append(text)
    return Reply(code, status, "\n".join(texts).rstrip(), b"\n".join(lines) + b"\n")


def _readable(raw: bytes) -> str:
    return raw.rstrip(b"\r").decode("utf-8", "replace").translate(_CONTROLS)
