"""A worker looks after the journals of its machine as long as it lives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import OperationalError

from envoi.cli import serving


def test_journals_are_brought_in_at_once_and_then_again_and_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[object] = []

    def waited(seconds: float) -> bool:
        events.append(seconds)
        return len(events) > 5

    def replayed() -> int:
        events.append("brought in")
        if len(events) == 2:
            raise OperationalError("the server is gone")
        return 0

    monkeypatch.setattr(serving, "ending", SimpleNamespace(wait=waited))
    monkeypatch.setattr(serving, "replay_all", replayed)
    monkeypatch.setattr(serving, "connections", SimpleNamespace(close_all=lambda: None))

    serving.tend_journals()

    every = serving.JOURNALS_EVERY
    assert events == [0.0, "brought in", every, "brought in", every, "brought in", every]
    assert "the server is gone" in caplog.text
