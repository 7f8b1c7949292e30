"""Host names that do not lead to a server: each with the fault that names the remedy."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from envoi.delivery.smtp import FaultKind, NotSent, Outcome, Phase, Pool, Security, SmtpSettings
from envoi.delivery.smtp.tests.scripted import QUICK, ada


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (socket.EAI_NONAME, FaultKind.UNKNOWN_NAME),
        (socket.EAI_NODATA, FaultKind.UNKNOWN_NAME),
        (socket.EAI_AGAIN, FaultKind.NO_LOOKUP),
        (socket.EAI_FAIL, FaultKind.NO_LOOKUP),
    ],
)
@pytest.mark.fault("F29")
def test_a_name_that_is_not_there_is_told_from_one_that_nobody_looks_up(
    code: int, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up(*arguments: object, **options: object) -> None:
        raise socket.gaierror(code, "what the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)

    async def run() -> Outcome:
        async with Pool(SmtpSettings("mx.example.org", 25, Security.NONE)) as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (kind, Phase.CONNECT)


@pytest.mark.fault("F29")
def test_a_name_that_takes_for_ever_to_look_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def looked_up(*arguments: object, **options: object) -> None:
        over.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "what the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)

    async def run() -> Outcome:
        settings = SmtpSettings("mx.example.org", 25, Security.NONE, timeouts=replace(QUICK, connect=0.05))
        async with Pool(settings) as pool:
            outcome = await pool.send(ada())
            over.set()
            return outcome

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.TIMEOUT, Phase.CONNECT)
