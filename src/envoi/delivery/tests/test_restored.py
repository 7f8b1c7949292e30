"""A restored backup does not send by itself what may have been sent already."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from envoi.accounts.models import AuditEntry
from envoi.core import clock
from envoi.core.wording import said
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions import restored
from envoi.delivery.actions.restored import count_on, hold_if_restored, still_held
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import LedgerMark, Mailing, Shift, Transport
from envoi.delivery.queries import roster
from envoi.delivery.shifts.work import take_turns
from envoi.delivery.tests.factories import make_mailing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: object) -> Path:
    settings.ENVOI_DATA = tmp_path  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing("ada@example.net")


def state(mailing: Mailing) -> str:
    return Mailing.objects.values_list("state", flat=True).get(pk=mailing.pk)


def test_as_long_as_the_database_only_goes_on_nothing_is_held(mailing: Mailing, data: Path) -> None:
    assert not hold_if_restored()
    for _ in range(3):
        count_on()
        assert not hold_if_restored()
    assert (data / "ledger.mark").read_text().split()[1] == "3"
    assert [path.name for path in data.iterdir()] == ["ledger.mark"]
    assert state(mailing) == "running"


def test_what_runs_in_a_database_that_went_back_is_held_until_a_person_resumes_it(mailing: Mailing) -> None:
    count_on()
    count_on()
    LedgerMark.objects.update(number=1)
    watch()
    assert state(mailing) == "paused"
    mailing.refresh_from_db()
    assert said(mailing.state_reason).startswith("The database was restored from a backup: ")
    assert AuditEntry.objects.filter(verb="pause").count() == 1
    assert still_held() == 1
    assert mailings.resume(mailing, actor=None)
    assert still_held() == 0
    watch()
    count_on()
    assert not hold_if_restored()
    assert state(mailing) == "running"


def test_a_database_that_goes_back_between_two_turns_is_noticed_before_the_next(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        count_on()
    signs_on = roster.sign_on

    def restored_first(worker: str, mailing: Mailing, transport: Transport) -> int:
        LedgerMark.objects.update(number=1)
        return signs_on(worker, mailing, transport)

    monkeypatch.setattr(roster, "sign_on", restored_first)
    take_turns()
    assert state(mailing) == "paused"
    assert still_held() == 1
    assert not Shift.objects.exists()


def test_a_backup_from_before_the_first_message_is_noticed_too(mailing: Mailing) -> None:
    count_on()
    LedgerMark.objects.all().delete()
    with clock.set_to(clock.now() + timedelta(seconds=1)):
        assert hold_if_restored()
    assert state(mailing) == "paused"


def test_another_machine_that_joins_or_was_away_holds_nothing_on_a_database_server(
    mailing: Mailing, data: Path
) -> None:
    count_on()
    note = (data / "ledger.mark").read_text()
    count_on()
    (data / "ledger.mark").write_text(note)
    assert not hold_if_restored()
    (data / "ledger.mark").unlink()
    assert hold_if_restored() == (connection.vendor == "sqlite")


def test_a_new_database_in_an_old_folder_holds_nothing(data: Path) -> None:
    (data / "ledger.mark").write_text("0123456789abcdef 7")
    mailing = make_mailing("bob@example.net")
    assert not hold_if_restored()
    count_on()
    assert not hold_if_restored()
    assert state(mailing) == "running"


def test_two_senders_that_begin_in_the_same_moment_do_not_take_each_other_for_a_backup(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = restored._read, []

    def read_too_early() -> restored.Note | None:
        looks.append(note := read())
        if len(looks) == 1:
            restored.begin()
        return note

    monkeypatch.setattr(restored, "_read", read_too_early)
    assert not hold_if_restored()
    assert looks[0] is None
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.RUNNING


def test_there_is_a_note_before_the_first_number(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: list[int] = []
    write = restored._write

    def note_down(note: restored.Note) -> None:
        numbers.append(LedgerMark.objects.get(pk=1).number)
        write(note)

    monkeypatch.setattr(restored, "_write", note_down)
    restored.begin()
    assert numbers == [0, 1]
