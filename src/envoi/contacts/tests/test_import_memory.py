"""A file of any size is taken in the same memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envoi.contacts.actions import import_run, imports
from envoi.contacts.actions.import_forecast import forecast
from envoi.contacts.importing.records import Record, rows
from envoi.contacts.models import Contact, Import


def generated(count: int) -> Iterator[bytes]:
    """Files of people, piece by piece; every tenth row is refused, every other person comes twice."""
    yield b"email,first name,note\n"
    for start in range(0, count, 1000):
        lines = (
            f"p{number // 2}@example.org,P,{'x' * 80}" if number % 10 else f"no address {number},P,"
            for number in range(start, start + 1000)
        )
        yield ("\n".join(lines) + "\n").encode()


def peak_of(work: Any) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_200_000_rows_are_read_in_the_memory_of_a_few(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.writelines(generated(200_000))

    def read_through() -> None:
        with path.open("rb") as stream:
            assert sum(1 for _row in rows(stream, "utf-8-sig", ",", 1)) == 200_000

    assert peak_of(read_through) < 2_000_000


@pytest.mark.django_db
def test_taking_ten_times_the_rows_takes_no_more_memory() -> None:
    def taken(count: int) -> int:
        of = imports.receive(generated(count), "big.csv", actor=None)
        imports.start(of, of.mapping, in_background=False, actor=None)
        peak = peak_of(lambda: import_run.work(of.pk, seconds=600))
        of.refresh_from_db()
        assert (of.status, of.rows, of.rejected) == (Import.Status.FINISHED, count, count // 10)
        return peak

    taken(2_000)
    small = taken(2_000)
    assert taken(20_000) < small * 2 + 2_000_000
    assert Contact.objects.count() == 20_000 // 2


@pytest.mark.django_db
def test_a_forecast_says_what_the_import_then_does() -> None:
    of = imports.receive(generated(5_000), "big.csv", actor=None)

    def records() -> Iterator[Record]:
        with imports.opened(of) as stream:
            yield from rows(stream, of.encoding, of.delimiter, of.skip)

    said = forecast(of, records())
    assert not Contact.objects.exists()
    imports.start(of, of.mapping, in_background=False, actor=None)
    import_run.work(of.pk, seconds=600)
    of.refresh_from_db()
    assert (said.rows, said.new, said.rejected) == (of.rows, of.created, of.rejected)
    assert said.known == of.updated + of.unchanged
