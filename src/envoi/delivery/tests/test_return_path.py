"""Return paths name their delivery and no other."""

from __future__ import annotations

import pytest

from envoi.delivery import return_path


@pytest.mark.parametrize("number", [1, 255, 1_000_000, 2**44 - 1])
def test_what_was_made_is_read_whatever_case_it_comes_back_in(number: int) -> None:
    address = return_path.make(number, "example.org")
    assert return_path.read(address) == number
    assert return_path.read(f"<{address.upper()}>") == number
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.fault("F24")
def test_every_attempt_has_the_same_return_path() -> None:
    assert return_path.make(7, "example.org") == return_path.make(7, "example.org")


def test_a_forged_cut_or_foreign_address_is_refused() -> None:
    good = return_path.make(7, "example.org")
    other = return_path.make(8, "example.org")
    mixed = good[:20] + other[20:]
    for address in (mixed, good.replace("@", "a@"), "bounces+@example.org", "ada@example.org", "", "bounces+é@x"):
        with pytest.raises(return_path.NotAReturnPath):
            return_path.read(address)
