"""The public form of F06 in short: `envoi bench faults`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import installation


@pytest.mark.slow
@pytest.mark.fault("F06")
def test_killed_senders_lose_nobody_and_double_only_those_who_were_named(tmp_path: Path) -> None:
    here = installation.make(tmp_path, migrated=False)
    here.environment.pop("ENVOI_DATA")
    said = json.loads(here.run("-m", "envoi.cli", "bench", "faults", "--kills", "6", "--recipients", "2000", "--json"))
    assert (said["recipients"], said["kills"]) == (2000, 6)
    assert (said["lost"], said["doubled_not_listed"]) == (0, 0)
    assert said["doubled"] <= said["unknown"] <= said["bound"] == 24
