"""The real sandbox mailbox for a test, in a thread, with a mailbox of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from envoi.delivery.sandbox.server import Server
from envoi.delivery.sandbox.store import Mailbox, mailbox


@contextmanager
def sandbox(folder: Path) -> Iterator[Mailbox]:
    """Serve from `folder`, which the settings must name as ENVOI_DATA; gives the mailbox."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with Server(folder):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise TimeoutError("the sandbox mailbox did not start")
        yield mailbox()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def received(box: Mailbox) -> dict[str, EmailMessage]:
    """The messages in the mailbox by recipient, read by Python's own parser."""
    page, found = box.list(size=1000), {}
    for row in page.rows:
        kept = box.get(row.id)
        if kept is not None:
            found[row.rcpt_to] = message_from_bytes(kept[1], policy=policy.default)
    return found
