"""Every text that a person reads is there in every language, and no translation is left of a text that is gone."""

from __future__ import annotations

import shutil

import pytest

from tests import messages


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
def test_every_text_is_translated() -> None:
    assert messages.gaps() == {language: [] for language in messages.LANGUAGES}
