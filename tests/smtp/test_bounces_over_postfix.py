"""A real Postfix accepts messages, sends them back, and hands the reports to `envoi receive-report`."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import smtplib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import installation
from tests.faults.installation import ROOT, Installation
from tests.smtp.postfix import LATER, Postfix

pytestmark = [pytest.mark.postfix, pytest.mark.slow]

HELPER = ("-m", "tests.faults.coming_back")
ADA, GONE, BLOCKED = "ada@example.net", "gone@example.net", "blocked@example.net"


@pytest.fixture
def here(relay: Postfix) -> Iterator[Installation]:
    """An installation whose data the user of the pipe may read and write."""
    relay.pipe_into(LATER)
    folder = Path(tempfile.mkdtemp(prefix="envoi-bounces-"))
    try:
        folder.chmod(0o755)
        yield installation.make(folder)
    finally:
        # What still comes back is of nobody's interest.
        relay.pipe_into("#!/bin/sh\nexit 0\n")
        shutil.rmtree(folder)


def hand_over(here: Installation, relay: Postfix) -> None:
    """From now on Postfix gives reports to this installation."""
    nobody = pwd.getpwnam("nobody")
    for path in (here.folder, *here.folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    names = ("ENVOI_DATA", "ENVOI_DATABASE_URL", "ENVOI_SECRET_KEY", "PYTHONPATH")
    settings = [f"{name}={here.environment[name]}" for name in names if name in here.environment]
    command = ["env", *settings, sys.executable, "-m", "envoi.cli", "receive-report", "--recipient"]
    relay.pipe_into(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))}\nexec {shlex.join(command)} "$1"\n')


def standing(here: Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(here.run(*HELPER, "standing"))
    return found


def wait_for(here: Installation, relay: Postfix, **states: int) -> dict[str, Any]:
    """How things stand as soon as the states are these."""
    until = time.monotonic() + 180
    while (now := standing(here))["states"] != states and time.monotonic() < until:
        time.sleep(1)
    assert now["states"] == states, (relay.folder / "log").read_text()[-4000:]
    return now


def test_what_postfix_sends_back_is_bounced_in_the_servers_words(here: Installation, relay: Postfix) -> None:
    here.run(*HELPER, "send", str(relay.port), ADA, GONE, BLOCKED)
    assert standing(here)["states"] == {"sent": 3}

    hand_over(here, relay)

    now = wait_for(here, relay, sent=1, bounced=2)
    assert now["rows"][GONE] == ["bounced", None, "5.1.1", "Nobody of this name beyond the relay"]
    assert now["rows"][BLOCKED] == ["bounced", None, "5.7.1", "We do not want this"]
    assert now["rows"][ADA][0] == "sent"
    assert now["tallied"] == {"sent": 1, "bounced": 2}
    assert (now["suppressed"], now["reports"], now["kept_aside"]) == ([GONE], 2, 0)


def test_reports_of_postfix_end_a_doubt_either_way(here: Installation, relay: Postfix) -> None:
    here.run(*HELPER, "send", str(relay.port), ADA, GONE)
    here.run(*HELPER, "doubt")
    assert standing(here)["states"] == {"unknown": 2}
    path = json.loads(here.run(*HELPER, "paths"))[ADA]
    # Another attempt of the same message, of which somebody asked to hear that it arrived (RFC 3461 §4.1).
    with smtplib.SMTP("127.0.0.1", relay.port) as client:
        client.sendmail(path, [ADA], "Subject: Hello\r\n\r\nHello!", rcpt_options=["NOTIFY=SUCCESS"])

    hand_over(here, relay)

    now = wait_for(here, relay, sent=1, bounced=1)
    assert now["rows"][ADA][:3] == ["sent", None, "2.0.0"]
    assert now["rows"][GONE][:3] == ["bounced", None, "5.1.1"]
    assert now["tallied"] == {"sent": 1, "bounced": 1}


def test_while_the_database_is_away_postfix_keeps_the_report(here: Installation, relay: Postfix) -> None:
    here.run(*HELPER, "send", str(relay.port), GONE)
    away = Installation(here.folder, here.environment | {"ENVOI_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
    hand_over(away, relay)
    until = time.monotonic() + 180
    log = relay.folder / "log"
    while "No PostgreSQL server answers there" not in log.read_text() and time.monotonic() < until:
        time.sleep(1)
    assert "status=deferred" in log.read_text()
    assert standing(here)["states"] == {"sent": 1}

    hand_over(here, relay)

    wait_for(here, relay, bounced=1)
