"""What PostgreSQL reads from the literals of lists."""

from __future__ import annotations

import pytest
from django.db import connection

from envoi.core import arrays

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no arrays"),
]


@pytest.mark.parametrize(
    "texts",
    [
        ["Ok"],
        ["Ok", "queued as 4Z", ""],
        ['say "hi"', "back\\slash", '\\"', "{a,b}", "NULL", " spaced ", "two\nlines\t", "100 %s %(x)s", "'; DROP"],
        ["Åsa", "美咲", "ليلى", "\u200d"],
        [""],
    ],
)
def test_every_text_comes_out_as_it_went_in(texts: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [arrays.of_texts(texts)])
        assert cursor.fetchone() == (texts,)


@pytest.mark.parametrize("numbers", [[], [7], [1, -2, 2**62]])
def test_every_number_comes_out_as_it_went_in(numbers: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::bigint[]", [arrays.of_numbers(numbers)])
        assert cursor.fetchone() == (numbers,)
