"""A mail server on loopback that keeps each message byte for byte as it came."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """`answers` to the next messages, then it takes what comes; `messages` has all that were offered whole."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[str] = []
        self.messages: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content
        self.messages.append(content if isinstance(content, bytes) else b"")
        return self.answers.pop(0) if self.answers else "250 2.0.0 Taken"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found.port = probe.getsockname()[1]
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()
