"""The database goes away and comes back while machines send: they wait, and no answer is lost."""

from __future__ import annotations

import time

import pytest

from tests.machines.story import PEOPLE, Story

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("machines")]


@pytest.mark.fault("F10")
def test_the_database_is_started_again_and_crashes_in_mid_broadcast(here: Story) -> None:
    machines = here.start("ada", "bob")
    here.press_send()
    here.until_all_have_sent(*machines)
    for how in ("fast", "immediate"):
        accepted = here.server.accepted.total()
        here.cluster.stop(how)
        time.sleep(1)
        here.cluster.start()
        here.until_accepted(min(accepted + 600, PEOPLE))
    here.until_finished()
    here.check(unknown_at_most=0)
    assert here.server.accepted.total() == PEOPLE
    assert [machine.process.poll() for machine in machines if machine.process] == [None, None]
    for sign in ("Traceback", "ended unexpectedly"):
        assert [machine.log for machine in machines if sign in machine.log] == []
