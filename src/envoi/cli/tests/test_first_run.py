"""The first run: an owner, a demonstration when it is wanted, and no second time."""

from __future__ import annotations

import io

import pytest
from django.db import OperationalError

from envoi.accounts.models import Role, User
from envoi.cli import first_run
from envoi.contacts.models import Contact
from envoi.core import clock

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts how often the demonstration was made."""
    calls: list[str] = []
    monkeypatch.setattr(first_run, "seed", lambda: calls.append("seeded"))
    return calls


def test_an_owner_is_made_who_must_choose_a_password(seeded: list[str]) -> None:
    welcome = first_run.prepare("Ada@Example.org", demo=False)
    assert welcome is not None
    owner = User.objects.get()
    assert (owner.email, owner.role, owner.must_change_password) == ("ada@example.org", Role.OWNER, True)
    assert owner.check_password(welcome.password)
    assert welcome.password not in owner.password
    assert seeded == []


def test_the_second_run_changes_nothing(seeded: list[str]) -> None:
    first_run.prepare("ada@example.org", demo=False)
    before = User.objects.values().get()
    assert first_run.prepare("bob@example.org", demo=None) is None
    assert User.objects.values().get() == before
    assert seeded == []


def test_a_first_run_that_breaks_off_leaves_no_account_with_an_unseen_password(
    monkeypatch: pytest.MonkeyPatch, seeded: list[str]
) -> None:
    def full() -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(first_run, "seed", full)
    with pytest.raises(OperationalError):
        first_run.prepare("ada@example.org", demo=True)
    assert not User.objects.exists()
    monkeypatch.setattr(first_run, "seed", lambda: seeded.append("seeded"))
    assert first_run.prepare("ada@example.org", demo=True) is not None
    assert seeded == ["seeded"]


def test_whoever_missed_the_first_password_is_told_how_to_get_another() -> None:
    first_run.prepare("ada@example.org", demo=False)
    assert first_run.waiting_account() == "ada@example.org"
    User.objects.update(last_login=clock.now())
    assert first_run.waiting_account() == ""


def test_without_a_terminal_the_demonstration_is_made(seeded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    first_run.prepare("ada@example.org", demo=None)
    assert seeded == ["seeded"]


@pytest.mark.parametrize(("answer", "expected"), [("\n", ["seeded"]), ("Y\n", ["seeded"]), ("perhaps\nno\n", [])])
def test_a_person_at_a_terminal_is_asked(
    answer: str, expected: list[str], seeded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    first_run.prepare("ada@example.org", demo=None)
    assert seeded == expected


def test_invented_people_never_stand_among_real_ones(seeded: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    first_run.prepare("ada@example.org", demo=False)
    Contact.objects.create(address="chloe@example.org", address_key="chloe@example.org")
    assert first_run.prepare("ada@example.org", demo=True) is None
    assert seeded == []
    assert "There are contacts already" in capsys.readouterr().out
