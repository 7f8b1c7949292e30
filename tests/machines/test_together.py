"""Several machines send one broadcast: they share it, one joins, one leaves, and nobody is lost or written to twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machines.story import PEOPLE, Story

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("machines")]

SKEWED = Path(__file__).parent / "skewed"
APART = "The clock of this machine and that of the database are 600 seconds apart"


def test_three_machines_whose_clocks_differ_by_ten_minutes_share_one_broadcast(here: Story) -> None:
    path = f"{SKEWED}:{here.environment['PYTHONPATH']}"
    fast = here.machine("bob", PYTHONPATH=path, TEST_CLOCK_MINUTES_AHEAD="10").start()
    slow = here.machine("chloe", PYTHONPATH=path, TEST_CLOCK_MINUTES_AHEAD="-10").start()
    (right,) = here.start("ada")
    here.press_send()
    here.until_all_have_sent(right, fast, slow)
    here.until_finished()

    here.check(unknown_at_most=0)
    assert here.server.accepted.total() == PEOPLE
    # By the clock of the database nobody was early or late, and nobody took anybody for dead.
    assert [APART in machine.log for machine in (right, fast, slow)] == [False, True, True]
    assert not any("has died" in machine.log for machine in here.machines)
    times = "SELECT min(state_at) > now() - interval '2 min', max(state_at) <= now() FROM delivery_delivery"
    assert here.ask(times) == [(True, True)]


def test_one_joins_and_one_leaves_under_load(here: Story) -> None:
    (leaving,) = here.start("ada")
    here.press_send()
    here.until_accepted(60)
    with here.standstill():
        (joining,) = here.start("bob")
    here.until_all_have_sent(joining)
    leaving.ask_to_stop()
    assert leaving.process is not None
    assert leaving.process.wait(45) == 0
    assert leaving.journals() == []
    here.until_finished()
    here.check(unknown_at_most=0)
    assert here.server.accepted.total() == PEOPLE
