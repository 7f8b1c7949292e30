"""The client against servers that others wrote: Postfix's test program and aiosmtpd."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from envoi.delivery.smtp import (
    Accepted,
    NotSent,
    Outcome,
    Phase,
    Pool,
    Refused,
    Security,
    SenderRefused,
    SmtpSettings,
    Timeouts,
    Unknown,
)
from envoi.delivery.smtp.tests.scripted import PATIENT, ada

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/lib/postfix/sbin")
needs_postfix = [
    pytest.mark.postfix,
    pytest.mark.skipif(SINK is None, reason="Postfix's smtp-sink is not installed (Debian package postfix)"),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def sink(*options: str) -> Iterator[int]:
    port = free_port()
    as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([str(SINK), *as_nobody, *options, f"127.0.0.1:{port}", "100"], stderr=subprocess.PIPE)
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.communicate()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("smtp-sink did not start")


def send(port: int, number: int = 1, timeouts: Timeouts = PATIENT) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with Pool(SmtpSettings("127.0.0.1", port, Security.NONE, timeouts=timeouts), 4) as pool:
            return await asyncio.gather(*(pool.send(ada(to=f"person{index}@example.net")) for index in range(number)))

    return asyncio.run(run())


class TestPostfix:
    pytestmark = needs_postfix

    @pytest.mark.parametrize("options", [(), ("-p",), ("-8",), ("-p", "-h", "mx.test")])
    def test_it_takes_every_message_with_and_without_reading_ahead(self, options: tuple[str, ...]) -> None:
        with sink(*options) as port:
            outcomes = send(port, 300)

        assert {type(outcome) for outcome in outcomes} == {Accepted}

    @pytest.mark.parametrize(
        ("options", "kind", "phase"),
        [
            (("-q", "MAIL"), NotSent, Phase.MAIL),
            (("-q", "RCPT"), NotSent, Phase.RCPT),
            (("-q", "DATA"), NotSent, Phase.DATA),
            (("-q", "."), Unknown, None),
            (("-f", "RCPT"), Refused, Phase.RCPT),
            (("-r", "RCPT"), Refused, Phase.RCPT),
            (("-f", "DATA"), Refused, Phase.DATA),
            (("-f", "."), Refused, Phase.DOT_SENT),
            (("-r", "."), Refused, Phase.DOT_SENT),
            (("-f", "MAIL"), SenderRefused, Phase.MAIL),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
    )
    @pytest.mark.parametrize("ahead", [(), ("-p",)], ids=["pipelined", "step by step"])
    def test_each_fault_it_can_play_has_its_outcome(
        self, options: tuple[str, ...], kind: type, phase: Phase | None, ahead: tuple[str, ...]
    ) -> None:
        with sink(*ahead, *options) as port:
            outcome = send(port)[0]

        assert type(outcome) is kind
        # A server that reads ahead may hang up while several answers are outstanding; then the first of them counts.
        if phase is not None and (ahead or kind is not NotSent):
            assert getattr(outcome, "phase", None) is phase

    def test_an_answer_to_data_slower_than_our_patience_has_surely_not_sent(self) -> None:
        with sink("-p", "-w", "5") as port:
            outcome = send(port, timeouts=replace(PATIENT, data=0.8))[0]

        assert isinstance(outcome, NotSent)
        assert outcome.phase is Phase.DATA


class Keeper:
    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append((envelope.mail_from, envelope.rcpt_tos[0], bytes(envelope.content)))
        return "250 kept"


def test_aiosmtpd_gets_the_message_byte_for_byte() -> None:
    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        outcomes = send(controller.port, 20)
    finally:
        controller.stop()

    assert {type(outcome) for outcome in outcomes} == {Accepted}
    assert sorted(to for _, to, _ in keeper.got) == sorted(f"person{index}@example.net" for index in range(20))
    for sender, _, data in keeper.got:
        assert sender == "bounce@example.org"
        assert data == ada().data
        assert message_from_bytes(data)["Subject"] == "Hello"
