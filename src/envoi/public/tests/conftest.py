from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from envoi.tracking import origins, targets
from envoi.tracking.tests.factories import Author


@pytest.fixture(autouse=True)
def own_spool(tmp_path: Path, settings: Settings) -> Path:
    """Each test has a spool of its own."""
    settings.ENVOI_DATA = tmp_path
    return tmp_path / "spool"


@pytest.fixture(autouse=True)
def fresh_targets() -> None:
    targets.registered.cache_clear()


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Author:
    """The origin of the test's mailings."""
    made = Author()
    monkeypatch.setitem(origins._origins, "test", made)
    return made
