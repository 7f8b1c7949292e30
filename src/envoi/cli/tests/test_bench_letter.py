"""The letter of the bench is what its figures say it is."""

from __future__ import annotations

import re

import pytest

from envoi.cli.bench.send.letter import average_size, letter


@pytest.mark.parametrize("size", [3_000, 20_480, 100_000])
@pytest.mark.parametrize("flow", [False, True])
def test_the_letter_has_the_size_that_was_asked_for(size: int, flow: bool) -> None:
    assert average_size(letter(size, flow=flow)) == pytest.approx(size, rel=0.02)


def test_the_smallest_letter_that_is_measured_can_be_written() -> None:
    assert average_size(letter(2_500)) == pytest.approx(2_500, rel=0.02)


def test_it_has_ten_merge_tags_of_its_reader_and_ten_links() -> None:
    made = letter(20_480)
    written = made["subject"] + made["body"] + made["text_body"]
    assert len(re.findall(r"\{\{ contact\.\w+ \}\}", written)) == 10
    assert len(re.findall(r"https://example\.org/\d", written)) == 10


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="ten tracked links"):
        letter(1_000)
