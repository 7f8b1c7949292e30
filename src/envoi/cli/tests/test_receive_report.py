"""A mail server hands over what came back, and is told to keep what cannot be taken in now."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from django.db import OperationalError

from envoi.bounces.tests.factories import accepted_mailing, path_of, report
from envoi.cli import health, main, receive_report
from envoi.delivery.models import Delivery
from envoi.delivery.tests.factories import claimed, make_mailing

pytestmark = pytest.mark.django_db

State = Delivery.State
ADA = "ada@example.net"


def piped(monkeypatch: pytest.MonkeyPatch, message: bytes, *words: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(message)))
    return main(["receive-report", *words])


@pytest.mark.parametrize("way", ["option", "ORIGINAL_RECIPIENT", "RECIPIENT", "head"])
def test_the_envelopes_recipient_is_told_in_any_of_the_usual_ways(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    ada = accepted_mailing(ADA).deliveries.get()
    if way.isupper():
        monkeypatch.setenv(way, path_of(ada))
    message = report(sent_to=path_of(ada)) if way == "head" else report()
    words = ["--recipient", path_of(ada)] if way == "option" else []
    assert piped(monkeypatch, message, *words) == 0
    ada.refresh_from_db()
    assert ada.state == State.BOUNCED


def test_a_huge_message_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = accepted_mailing(ADA).deliveries.get()
    assert piped(monkeypatch, report() + b"x" * 5_000_000, "--recipient", path_of(ada)) == 0
    assert sys.stdin.read() == ""
    ada.refresh_from_db()
    assert ada.state == State.BOUNCED


def test_what_is_no_report_is_taken_too_and_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert piped(monkeypatch, b"From: eve@example.com\n\nBuy!", "--recipient", "bounces@example.org") == 0
    assert main(["receive-report", "--kept-aside"]) == 0
    assert capsys.readouterr().out.endswith(
        "to bounces@example.org, from eve@example.com: The address it was sent to is no return path (2 times)\n"
    )
    (finding,) = health.returned_mail()
    assert (finding.state, finding.text) == (
        health.State.NOTE, "had no effect since yesterday: The address it was sent to is no return path: 2"
    )  # fmt: skip


def test_without_such_messages_there_is_nothing_to_say() -> None:
    assert list(health.returned_mail()) == []


def test_while_the_row_is_being_sent_the_mail_server_keeps_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mailing = make_mailing(ADA)
    claimed(mailing, "w1", 1)
    ada = mailing.deliveries.get()
    assert piped(monkeypatch, report(), "--recipient", path_of(ada)) == 75
    assert "is being sent" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [OperationalError("the server closed the connection"), OSError(28, "full"), ValueError("?")]
)
def test_whatever_goes_wrong_the_mail_server_keeps_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fails(*_args: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(receive_report, "receive", fails)
    assert piped(monkeypatch, report()) == 75
    assert capsys.readouterr().err.startswith("envoi receive-report: ")


@pytest.mark.parametrize("words", [["--no-such-option"], ["--maildir", "/nowhere"]])
def test_a_wrong_line_in_the_mail_servers_settings_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    assert piped(monkeypatch, report(), *words) == 75


def test_a_maildir_is_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new").mkdir()
    rows = list(accepted_mailing(ADA, "bob@example.net").deliveries.order_by("pk"))
    waiting = make_mailing("chloe@example.net")
    claimed(waiting, "w1", 1)
    for number, row in enumerate([*rows, *rows, waiting.deliveries.get()]):
        (tmp_path / f"new/{number}").write_bytes(report(row.address, sent_to=path_of(row)))
    (tmp_path / "new/9").write_bytes(b"From: eve@example.com\n\nBuy!")

    assert main(["receive-report", "--maildir", str(tmp_path)]) == 75

    assert capsys.readouterr().out == (
        "5 messages taken in: 2 changed a delivery, 2 said nothing new, 0 were automatic replies, 1 were kept aside; "
        "1 wait for their delivery to be written down\n"
    )
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["4"]
    assert set(Delivery.objects.values_list("address", "state")) == {
        (ADA, State.BOUNCED), ("bob@example.net", State.BOUNCED), ("chloe@example.net", State.PENDING)
    }  # fmt: skip


def test_a_message_that_cannot_be_taken_in_keeps_none_behind_it_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = accepted_mailing(ADA).deliveries.get()
    (tmp_path / "new/1").mkdir(parents=True)
    (tmp_path / "new/2").write_bytes(report(sent_to=path_of(ada)))

    assert main(["receive-report", "--maildir", str(tmp_path)]) == 75

    said = capsys.readouterr()
    assert said.out.startswith("1 messages taken in: 1 changed a delivery, ")
    assert said.err == (
        f"envoi receive-report: {tmp_path}/new/1 stays: IsADirectoryError. Look at it, or move it.\n"
    )  # fmt: skip
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["1"]


def test_a_database_that_is_away_leaves_the_maildir_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def fails(data: bytes) -> None:
        asked.append(data)
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(receive_report, "receive", fails)
    (tmp_path / "new").mkdir()
    for name in "12":
        (tmp_path / "new" / name).write_bytes(report())
    assert main(["receive-report", "--maildir", str(tmp_path)]) == 75
    assert (len(asked), len(list((tmp_path / "new").iterdir()))) == (1, 2)
    assert "the server closed the connection" in capsys.readouterr().err
