"""Files wait in the database: any machine imports what any other took, in memory that does not grow."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from envoi.contacts.actions import import_files, import_run, imports
from envoi.contacts.importing.records import Unreadable
from envoi.contacts.models import Contact, Import, ImportPiece
from envoi.contacts.tests.factories import received
from envoi.contacts.tests.test_import_memory import peak_of
from envoi.core import clock
from envoi.core.tasks.testing import run_due

pytestmark = pytest.mark.django_db

PEOPLE = "email,first name\nada@example.org,Ada\nbob@example.org,Bob\n"
PIECE = import_files.PIECE


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_a_file_that_one_machine_took_is_imported_by_another_with_an_empty_data_folder(
    settings: Any, tmp_path: Path
) -> None:
    settings.ENVOI_DATA = tmp_path / "web"
    of = received(PEOPLE)
    imports.start(of, of.mapping, actor=None)
    assert not (tmp_path / "web").exists()
    settings.ENVOI_DATA = tmp_path / "worker"
    assert run_due() == 1
    of.refresh_from_db()
    assert (of.status, of.created) == (Import.Status.FINISHED, 2)
    assert not (tmp_path / "worker").exists()
    assert not ImportPiece.objects.exists()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 5 * PIECE + 7])
@pytest.mark.parametrize("step", [1000, PIECE, 3 * PIECE + 1])
def test_what_is_kept_comes_back_to_the_byte(size: int, step: int) -> None:
    content = noise(size)
    key, counted = import_files.keep(content[start : start + step] for start in range(0, size, step))
    assert counted == size
    with import_files.opened(key, size) as stream:
        assert stream.read() == content
        stream.seek(max(0, size - 5))
        assert stream.read() == content[-5:]
        stream.seek(0)
        assert stream.read(10) == content[:10]
        assert stream.tell() == min(10, size)
    assert ImportPiece.objects.count() == -(-size // PIECE)
    import_files.forget(key)
    assert not ImportPiece.objects.exists()


def test_of_a_large_file_only_a_few_pieces_are_in_memory_and_none_is_a_large_row() -> None:
    def incompressible(count: int) -> Iterator[bytes]:
        source = random.Random(count)
        return (source.randbytes(64 * 1024) for _number in range(count))

    keys: list[tuple[str, int]] = []
    assert peak_of(lambda: keys.append(import_files.keep(incompressible(16 * 40)))) < 32 * PIECE
    ((key, size),) = keys
    assert size == 40 * 1024 * 1024
    assert max(len(piece.content) for piece in ImportPiece.objects.order_by("number")[:20]) < PIECE + 1000

    def read_through() -> None:
        with import_files.opened(key, size) as stream:
            assert sum(len(piece) for piece in iter(lambda: stream.read(100_000), b"")) == size

    assert peak_of(read_through) < 10 * PIECE
    import_files.forget(key)
    assert not ImportPiece.objects.exists()


def test_an_import_that_waited_in_the_data_folder_before_the_upgrade_is_finished(settings: Any, tmp_path: Path) -> None:
    settings.ENVOI_DATA = tmp_path
    of = received(PEOPLE)
    ImportPiece.objects.all().delete()
    Import.objects.filter(pk=of.pk).update(stored_as="before.csv")
    (tmp_path / "imports").mkdir()
    (tmp_path / "imports" / "before.csv").write_text(PEOPLE)
    of.refresh_from_db()
    imports.start(of, of.mapping, actor=None)
    run_due()
    of.refresh_from_db()
    assert (of.status, of.created) == (Import.Status.FINISHED, 2)
    assert list((tmp_path / "imports").iterdir()) == []


def test_a_file_that_is_gone_is_said_and_ends_the_import() -> None:
    of = received(PEOPLE)
    imports.start(of, of.mapping, actor=None)
    ImportPiece.objects.all().delete()
    run_due()
    of.refresh_from_db()
    assert (of.status, of.problem) == (
        Import.Status.FAILED,
        "The file is not on the server any more. Choose it again.",
    )


def test_a_piece_that_vanishes_while_the_file_is_read_is_no_end_of_the_file() -> None:
    key, size = import_files.keep([noise(3 * PIECE)])
    ImportPiece.objects.filter(number=1).delete()
    with import_files.opened(key, size) as stream, pytest.raises(Unreadable, match="not on the server any more"):
        stream.read()


def test_an_import_cancelled_in_mid_file_stays_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"p{number}@example.org,{noise(120).hex()}\n" for number in range(4000))
    of = received(f"email,note\n{rows}")
    imports.start(of, of.mapping, in_background=False, actor=None)
    import_run.work(of.pk, seconds=0, told=lambda now: imports.cancel(Import.objects.get(pk=now.pk), actor=None))
    import_run.work(of.pk, seconds=60)
    of.refresh_from_db()
    assert (of.status, of.rows, of.problem) == (Import.Status.CANCELLED, 1000, "")
    assert Contact.objects.count() == 1000


def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    def broken() -> Iterator[bytes]:
        yield noise(6 * PIECE)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        imports.receive(broken(), "people.csv", actor=None)
    assert not ImportPiece.objects.exists()
    assert not Import.objects.exists()


def test_a_full_database_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_pieces: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(ImportPiece.objects, "bulk_create", full)
    with pytest.raises(Unreadable, match="kept in the database \\(database or disk is full\\)"):
        received(PEOPLE)
    assert not ImportPiece.objects.exists()
    assert not Import.objects.exists()


def test_what_no_import_needs_is_removed_after_a_day_and_what_one_needs_is_not() -> None:
    waiting = received(PEOPLE)
    import_files.keep([noise(3 * PIECE)])
    ended = received(PEOPLE)
    Import.objects.filter(pk=ended.pk).update(status=Import.Status.FINISHED)
    assert import_files.forget_left_over() == 0
    with clock.set_to(clock.now() + timedelta(days=2)):
        imports.tidy()
    assert list(ImportPiece.objects.values_list("stored_as", flat=True)) == [waiting.stored_as]
