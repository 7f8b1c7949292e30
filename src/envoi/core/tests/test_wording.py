"""What one process keeps without a language, another says in its reader's."""

from __future__ import annotations

import pytest
from django.utils import translation

from envoi.core import wording

BUDGET = "Paused by itself: %(failures)d of the last %(attempts)d recipients failed. See the answers in the log."


def in_swedish(kept: str) -> str:
    with translation.override("sv"):
        return wording.said(kept)


def test_what_an_english_worker_kept_is_said_in_swedish() -> None:
    with translation.override("en"):
        kept = wording.gettext(BUDGET, failures=60, attempts=100)
        assert wording.said(kept) == BUDGET % {"failures": 60, "attempts": 100}
    assert in_swedish(kept) == translated(BUDGET) % {"failures": 60, "attempts": 100}
    assert in_swedish(kept) != wording.said(kept)


def translated(text: str) -> str:
    with translation.override("sv"):
        return translation.gettext(text)


def test_what_a_swedish_person_kept_is_said_in_english() -> None:
    with translation.override("sv"):
        kept = wording.gettext("Paused by %(person)s.", person="Åsa")
    assert wording.said(kept) == "Paused by Åsa."


@pytest.mark.parametrize(("days", "words"), [(1, "after 1 day of"), (4, "after 4 days of")])
def test_one_and_many_have_forms_of_their_own(days: int, words: str) -> None:
    kept = wording.ngettext(
        "Given up after %(days)d day of trying.", "Given up after %(days)d days of trying.", days, days=days
    )
    assert words in wording.said(kept)
    assert in_swedish(kept) != wording.said(kept)


def test_a_text_within_a_text_is_said_too() -> None:
    inner = wording.gettext("The sandbox mailbox is not running. Start Envoi with “envoi up”.")
    kept = wording.gettext("The messages cannot be composed: %(error)s", error=wording.of(wording.WordedError(inner)))
    assert wording.said(kept) == (
        "The messages cannot be composed: The sandbox mailbox is not running. Start Envoi with “envoi up”."
    )
    assert in_swedish(kept) == translated("The messages cannot be composed: %(error)s") % {"error": in_swedish(inner)}


@pytest.mark.parametrize("plain", ["", "535 5.7.8 wrong password", "100 % full", '{"text": 1}', "[%(name)s]"])
def test_other_peoples_words_stay_as_they_are(plain: str) -> None:
    assert wording.said(plain) == plain


def test_a_text_without_a_translation_is_said_in_english() -> None:
    assert in_swedish(wording.gettext("A text of %(year)d.".replace("A ", "One "), year=2031)) == "One text of 2031."


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "[[",
        "7",
        '[["%(b)1000000000d"], {"b": 1}]',
        '[["a %(b)s"], {}]',
        "[[], {}]",
        '[["a %(b)d"], {"b": "c"}]',
        '["a"]',
    ],
)
def test_what_was_cut_off_or_changed_is_shown_and_breaks_nothing(rest: str) -> None:
    assert wording.said(wording.MARK + rest) == rest


def test_a_value_that_goes_on_and_on_is_cut() -> None:
    assert len(wording.gettext("Paused by %(person)s.", person="x" * 9999)) < 400


def test_a_fault_says_its_message_or_its_kind() -> None:
    assert str(wording.WordedError(wording.gettext("Paused by %(person)s.", person="Ada"))) == "Paused by Ada."
    assert wording.of(ValueError("no")) == "no"
    assert wording.of(ZeroDivisionError()) == "ZeroDivisionError"
