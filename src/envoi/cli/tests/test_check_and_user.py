"""`envoi check` and `envoi user`, as an administrator uses them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from pytest_django import Settings

from envoi.accounts.actions import users
from envoi.accounts.models import Role, User
from envoi.cli import check, compiled, health, serving, user, worker
from envoi.cli.faults import Stop
from envoi.cli.health import State
from envoi.core import clock
from envoi.core.models import FailedTask
from envoi.core.tasks import heartbeats
from envoi.delivery.smtp import connection

pytestmark = pytest.mark.django_db


def called(module: object, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)  # type: ignore[attr-defined]
    return parser.parse_args(words)


def found(subject: str) -> tuple[State, str, str]:
    (one,) = [finding for finding in health.findings() if finding.subject == subject]
    return one.state, one.text, one.hint


def test_an_installation_without_workers_is_told_how_to_start_them() -> None:
    assert found("worker") == (State.BAD, "none is alive", "Start Envoi with “envoi up”, or run “envoi worker”.")
    assert found("scheduler")[0] is State.BAD


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("connection.cpython-311-x86_64-linux-gnu.so", (State.GOOD, "compiled", "")),
        ("connection.py", (State.NOTE, "not compiled, about a sixth slower", compiled.HOW)),
    ],
)
def test_whether_sending_is_compiled_is_said_and_how_to_get_there(
    file: str, said: tuple[State, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "__file__", file)
    assert found("speed of sending") == said


def test_living_processes_are_counted() -> None:
    kinds = {"worker": "worker", "sender": "sending", "personal": "personal mail", "scheduler": "scheduler"}
    for kind, subject in kinds.items():
        heartbeats.beat(kind)
        assert found(subject) == (State.GOOD, "1 alive", "")
    heartbeats.leave("scheduler")
    assert found("scheduler")[0] is State.BAD


def test_a_machine_with_another_secret_key_or_address_is_named_and_may_not_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("quiet_logs", "stop_on_signals"):
        monkeypatch.setattr(serving, name, lambda: None)
    heartbeats.beat("worker")
    assert heartbeats.disagreement() == ""
    assert not [finding for finding in health.findings() if finding.subject == "machines"]
    first = f"{heartbeats.process_name()}:worker"

    settings.ENVOI_BASE_URL = "https://elsewhere.example.org"
    differs = f"ENVOI_BASE_URL is not the same here as at {first}, which works on this database too."
    remedy = "Set it alike on every machine, and start Envoi again there."
    assert found("machines") == (State.BAD, differs, remedy)
    settings.SECRET_KEY = "another key than that of the others, long enough to be one"
    with pytest.raises(
        Stop, match=f"^ENVOI_SECRET_KEY is not the same here as at {first}, .* or stop the others first"
    ):
        worker.run(called(worker))

    with clock.set_to(clock.now() + heartbeats.SILENT_AFTER * 2):
        assert heartbeats.disagreement() == ""


def test_an_owner_is_needed_to_sign_in() -> None:
    assert found("accounts") == (State.BAD, "no owner may sign in", "Run “envoi user add you@example.org”.")
    users.add("ada@example.org", role=Role.OWNER, actor=None)
    assert found("accounts") == (State.GOOD, "an owner may sign in", "")


def test_tasks_that_failed_for_good_are_shown() -> None:
    FailedTask.objects.create(
        name="delivery.watchdog", queue="default", attempts=5, error="Traceback …\nOSError: no room"
    )
    state, text, _ = found("background tasks")
    assert state is State.NOTE
    assert text == "failed for good since yesterday: delivery.watchdog: OSError: no room"


def test_a_secret_key_that_others_can_read_is_bad(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENVOI_SECRET_KEY")
    settings.ENVOI_DATA = tmp_path
    key = tmp_path / "secret.key"
    key.write_text("x" * 60)
    key.chmod(0o644)
    assert found("secret key") == (State.BAD, f"{key} can be read by others", f"Run: chmod 600 {key}")
    key.chmod(0o600)
    assert found("secret key")[0] is State.GOOD


def test_the_exit_code_and_the_json_say_whether_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(called(check, "--json")) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["well"] is False
    assert {"subject", "state", "text", "hint"} == set(shown["findings"][0])
    assert check.run(called(check)) == 1
    assert "✗ scheduler: none is alive\n    → Start Envoi" in capsys.readouterr().out


def test_somebody_is_added_and_gets_a_new_password_later(capsys: pytest.CaptureFixture[str]) -> None:
    assert user.run(called(user, "add", "asa@example.org", "--role", "editor", "--name", "Åsa")) == 0
    password = capsys.readouterr().out.split()[-1]
    added = User.objects.get()
    assert (added.email, added.role, added.name) == ("asa@example.org", "editor", "Åsa")
    assert added.check_password(password)

    assert user.run(called(user, "reset", "ASA@example.org")) == 0
    renewed = capsys.readouterr().out.split()[-1]
    added.refresh_from_db()
    assert added.check_password(renewed)
    assert not added.check_password(password)
    assert added.must_change_password


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "asa"], "“asa” is not an e-mail address."),
        (["add", "bob@example.org"], "bob@example.org is a user already"),
        (["reset", "nobody@example.org"], "nobody signs in as nobody@example.org"),
    ],
)
def test_wrong_addresses_are_named_and_nothing_changes(words: list[str], message: str) -> None:
    users.add("bob@example.org", actor=None)
    before = list(User.objects.values())
    with pytest.raises(Stop, match=message):
        user.run(called(user, *words))
    assert list(User.objects.values()) == before
