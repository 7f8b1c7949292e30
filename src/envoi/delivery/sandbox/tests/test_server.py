"""The sandbox's server: takes what a mail server must take, keeps it before it says so, and plays its tricks."""

from __future__ import annotations

import asyncio
import smtplib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from envoi.delivery.sandbox.server import PORT_FILE, SandboxError, Server, chosen_port
from envoi.delivery.sandbox.store import FILE, Mailbox
from envoi.delivery.sandbox.tricks import TRICKS
from envoi.delivery.smtp import (
    Accepted,
    Envelope,
    Outcome,
    Phase,
    Pool,
    Refused,
    Security,
    SenderRefused,
    SmtpSettings,
    Unknown,
)

MESSAGE = b"From: Envoi <news@example.org>\r\nSubject: Hello\r\n\r\nDear Ada,\r\n.\r\n..dots\r\n"


@contextmanager
def sandbox(folder: Path) -> Iterator[int]:
    """A running server; its port."""
    started, stop = threading.Event(), asyncio.Event()
    found: list[tuple[int, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with Server(folder) as server:
            found.append((server.port, asyncio.get_running_loop()))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(10)
    port, loop = found[0]
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def sent(folder: Path, *envelopes: Envelope) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with Server(folder) as server, Pool(SmtpSettings("127.0.0.1", server.port, Security.NONE), 4) as pool:
            return [*await asyncio.gather(*(pool.send(envelope) for envelope in envelopes))]

    return asyncio.run(run())


def to(address: str, data: bytes = MESSAGE) -> Envelope:
    return Envelope("bounce@example.org", address, data)


def test_what_was_accepted_is_kept_byte_for_byte(tmp_path: Path) -> None:
    outcomes = sent(tmp_path, *(to(f"person{index}@example.net") for index in range(60)))

    assert {type(outcome) for outcome in outcomes} == {Accepted}
    mailbox = Mailbox(tmp_path / FILE)
    rows = mailbox.list(size=100).rows
    assert sorted(row.rcpt_to for row in rows) == sorted(f"person{index}@example.net" for index in range(60))
    assert {(row.mail_from, row.sender, row.subject, row.size) for row in rows} == {
        ("bounce@example.org", "Envoi <news@example.org>", "Hello", len(MESSAGE))
    }
    found = mailbox.get(rows[0].id)
    assert found is not None
    assert found[1] == MESSAGE


def test_the_port_stands_in_a_file_while_the_server_runs(tmp_path: Path) -> None:
    with sandbox(tmp_path) as port:
        assert (tmp_path / PORT_FILE).read_text() == f"{port}\n"

    assert not (tmp_path / PORT_FILE).exists()


def test_another_mail_program_is_understood_as_well(tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Åsa <asa@example.org>", "ada@example.net", "Blåbär"
    message.set_content("Hej Ada")

    with sandbox(tmp_path) as port, smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message, to_addrs=["ada@example.net", "bob@example.net"])
        assert client.noop()[0] == 250
        assert client.docmd("EXPN list")[0] == 502

    rows = Mailbox(tmp_path / FILE).list().rows
    assert {(row.rcpt_to, row.sender, row.subject) for row in rows} == {
        ("ada@example.net", "Åsa <asa@example.org>", "Blåbär"),
        ("bob@example.net", "Åsa <asa@example.org>", "Blåbär"),
    }


def test_an_international_address_is_taken(tmp_path: Path) -> None:
    assert isinstance(sent(tmp_path, to("åsa@bücher.example"))[0], Accepted)
    assert Mailbox(tmp_path / FILE).list().rows[0].rcpt_to == "åsa@bücher.example"


@pytest.mark.parametrize(
    ("tag", "kind", "status"),
    [
        ("bounce", Refused, "5.1.1"),
        ("defer", Refused, "4.7.1"),
        ("full", Refused, "4.2.2"),
        ("reject", Refused, "5.6.0"),
        ("blocked", SenderRefused, "5.7.1"),
    ],
)
def test_a_trick_address_is_answered_as_it_asks(tmp_path: Path, tag: str, kind: type, status: str) -> None:
    outcome = sent(tmp_path, to(f"ada+{tag}@example.net"))[0]

    assert type(outcome) is kind
    assert isinstance(outcome, Refused | SenderRefused)
    assert outcome.reply.status == status
    assert outcome.phase is (Phase.RCPT if tag in {"bounce", "defer", "full"} else Phase.DOT_SENT)
    assert Mailbox(tmp_path / FILE).count() == 0


def test_the_trick_of_dropping_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    assert isinstance(sent(tmp_path, to("ada+drop@example.net"))[0], Unknown)


def test_what_is_deferred_once_is_taken_at_the_second_attempt(tmp_path: Path) -> None:
    async def run() -> list[Outcome]:
        async with Server(tmp_path) as server, Pool(SmtpSettings("127.0.0.1", server.port, Security.NONE)) as pool:
            return [await pool.send(to("ada+defer@example.net")) for _ in range(2)]

    first, second = asyncio.run(run())

    assert isinstance(first, Refused)
    assert isinstance(second, Accepted)


def test_every_trick_says_what_it_shows() -> None:
    assert all(str(trick.meaning) for trick in TRICKS)
    assert len({trick.tag for trick in TRICKS}) == len(TRICKS)


def test_a_message_that_cannot_be_kept_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Mailbox, messages: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Mailbox, "add", full)
    outcome = sent(tmp_path, to("ada@example.net"))[0]

    assert isinstance(outcome, SenderRefused)
    assert outcome.reply.status == "4.3.1"
    assert "disk is full" in outcome.reply.text


def test_only_crlf_dot_crlf_ends_a_message(tmp_path: Path) -> None:
    async def run() -> bytes:
        async with Server(tmp_path) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
            writer.write(b"one\n.\nMAIL FROM:<evil@example.org>\r.\r\n.\r\nQUIT\r\n")
            writer.write_eof()
            answers = await reader.read()
            writer.close()
            return answers

    answers = asyncio.run(run())

    assert answers.count(b"250 2.1.0") == 1
    rows = Mailbox(tmp_path / FILE).list().rows
    assert [row.mail_from for row in rows] == ["a@example.org"]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"MAIL FROM:<a@example.org>\r\n", b"503"),
        (b"EHLO x\r\nRCPT TO:<a@example.org>\r\n", b"503"),
        (b"EHLO x\r\nDATA\r\n", b"503"),
        (b"EHLO x\r\nMAIL a@example.org\r\n", b"501"),
        (b"EHLO x\r\nMAIL FROM:<a@example.org> SIZE=99999999999\r\n", b"552"),
        ("EHLO x\r\nMAIL FROM:<å@example.org>\r\n".encode(), b"553"),
        (b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<nobody>\r\n", b"501"),
        (b"\xff\xfe\r\n", b"500"),
        (b"x" * 5000, b"500"),
        (b"\r\n", b"502"),
        (b"__class__ x\r\n", b"502"),
    ],
)
def test_nonsense_is_answered_and_does_no_harm(tmp_path: Path, said: bytes, answer: bytes) -> None:
    async def run() -> list[bytes]:
        async with Server(tmp_path) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(said)
            writer.write_eof()
            lines = (await asyncio.wait_for(reader.read(), 5)).splitlines()
            writer.close()
            return lines

    assert asyncio.run(run())[-1].startswith(answer)
    assert Mailbox(tmp_path / FILE).count() == 0


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    async def run() -> None:
        async with Server(tmp_path) as server, Server(tmp_path, server.port):
            pass

    with pytest.raises(SandboxError, match=r"ENVOI_SANDBOX_PORT: port .* cannot be used"):
        asyncio.run(run())


def test_the_port_comes_from_the_environment() -> None:
    assert chosen_port({}) == 0
    assert chosen_port({"ENVOI_SANDBOX_PORT": "2525"}) == 2525
    with pytest.raises(SandboxError, match="“smtp”"):
        chosen_port({"ENVOI_SANDBOX_PORT": "smtp"})
