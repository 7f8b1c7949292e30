"""Machines die, are cut off and come back: what others may conclude meanwhile, and what their journals say later."""

from __future__ import annotations

import re
import time

import pytest

from tests.machines.story import CONNECTIONS, LEASE, WINDOW, Story

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("machines")]

# When so many have it the broadcast is well under way, and far from its end.
MIDST = 300


def test_one_is_killed_and_one_cut_off(here: Story) -> None:
    killed, cut, other = here.start("ada", "bob", "chloe")
    here.press_send()
    here.until_all_have_sent(killed, cut, other)
    here.until_accepted(MIDST)
    killed.die()
    cut.cut()
    of_killed, of_both = len(killed.journals()), len(killed.journals()) + len(cut.journals())
    here.let_leases_end()
    here.until_finished()
    # Neither journal is within reach: at most a window of each worker is in doubt, and everybody else has it.
    here.check(unknown_at_most=of_both * WINDOW)
    before, doubts = here.states(), here.unknown()

    cut.mend()
    here.until(lambda: cut.journals() == [], "the one that was cut off has brought in its journal")
    here.until_finished()
    # It has changed nothing but what had been its own and was in doubt.
    after = here.states()
    assert {address for address in before if before[address] != after[address]} <= doubts
    # What lay in the network while the link was down may have arrived when it came back: others have sent none of it.
    here.check(unknown_at_most=of_killed * WINDOW + CONNECTIONS)

    killed.start()
    here.until(lambda: killed.journals() == [], "the journal of the one that was killed is brought in")
    here.until_finished()
    here.check(unknown_at_most=2 * CONNECTIONS)


def test_the_disk_of_one_dead_machine_comes_back_and_that_of_another_never(here: Story) -> None:
    returning, lost = here.start("ada", "bob")
    here.press_send()
    here.until_all_have_sent(returning, lost)
    here.until_in_time(returning.has_heard, "ada has had answers")
    here.until_accepted(MIDST)
    returning.die()
    lost.die()
    died, accepted = time.monotonic(), here.server.accepted.total()
    here.machine("chloe").start()

    # Their leases were renewed a quarter of their time ago at the latest: for all that others know, both may live.
    while time.monotonic() < died + LEASE * 0.6:
        assert here.unknown() == set()
        time.sleep(0.2)
    time.sleep(died + LEASE - time.monotonic())
    here.look_after()
    here.until_finished()
    # What they had not offered went out from another; what they may have offered waits for evidence.
    workers = len(returning.journals()) + len(lost.journals())
    here.check(unknown_at_most=workers * WINDOW)
    assert here.unknown()
    assert here.server.accepted.total() > accepted

    answered = {row for text in returning.journals() for row in re.findall(r"^250 (\d+) ", text, re.MULTILINE)}
    here.machine("dmitri", returning.folder).start()
    here.until(lambda: returning.journals() == [], "the journal from the disk of the dead machine is brought in")
    here.until_finished()
    # What it has an answer of is decided; of what it does not mention a power cut may have taken the lines.
    here.check(unknown_at_most=workers * WINDOW)
    states = "SELECT DISTINCT state FROM delivery_delivery WHERE id = ANY(%s)"
    assert here.ask(states, [int(row) for row in answered]) == [("sent",)]

    # The other disk never comes: after three days, which the test lets pass in the database, the doubt is closed.
    doubts, accepted = here.unknown(), here.server.accepted.total()
    wait = "SELECT bool_and(retry_at > now() + interval '71 hours') FROM delivery_delivery WHERE state = 'unknown'"
    assert here.ask(wait) == [(True,)]
    here.ask("UPDATE delivery_delivery SET retry_at = now() WHERE state = 'unknown' RETURNING id")
    here.look_after()
    closed = "SELECT count(*) FROM delivery_delivery WHERE state = 'unknown' AND retry_at IS NULL"
    here.until(lambda: here.ask(closed) == [(len(doubts),)], "the rule has ended the doubt")
    assert here.unknown() == doubts
    assert here.server.accepted.total() == accepted
