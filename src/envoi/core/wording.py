"""Words that one process keeps and another shows: kept without a language, said in the reader's.

A worker that pauses something speaks no language; whoever reads why does. So what goes into the database is the English
text with its values, in one line that a sign begins which no server's words hold. `said` makes words of it; any other
text (what a server said, what people wrote, what older releases kept) it gives back as it is. A text whose translation
is gone is said in English.

The functions that keep are called as Django's are, `wording.gettext(…)`, since that is what bin/messages looks for.
"""

from __future__ import annotations

import json
import re

from django.utils import translation

MARK = "\x1e"
# What is kept has to fit where it is kept (`Delivery.detail`: 500).
LONGEST_VALUE = 300
# A width, as in %(name)999999999d, would fill the memory; people can write what looks as if we had kept it.
_PLAIN = re.compile(r"(?:[^%]|%%|%\(\w+\)[sd])*+")


class WordedError(Exception):
    """A fault whose message was made by `gettext` below: `str()` says it, `kept` is what to store."""

    def __init__(self, kept: str) -> None:
        super().__init__(kept)
        self.kept = kept

    def __str__(self) -> str:
        return said(self.kept)


def gettext(text: str, /, **values: object) -> str:
    """Keep the English `text`, in which %(name)s stands for a value."""
    return _kept([text], values)


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Keep a text that has forms for one and for many."""
    return _kept([one, many, number], values)


def of(error: Exception) -> str:
    """What to keep of a fault: its message, or its kind when it says nothing."""
    return error.kept if isinstance(error, WordedError) else str(error) or type(error).__name__


def said(kept: str) -> str:
    """What was kept, in the language of now; any other text as it is."""
    if not kept.startswith(MARK):
        return kept
    try:
        form, values = json.loads(kept[len(MARK) :])
        text = translation.ngettext(*form) if len(form) > 1 else translation.gettext(*form)
        if not _PLAIN.fullmatch(text):
            return kept[len(MARK) :]
        return text % {name: said(value) if isinstance(value, str) else value for name, value in values.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        # Cut off, or changed by hand: better than nothing.
        return kept[len(MARK) :]


def _kept(form: list[str | int], values: dict[str, object]) -> str:
    return MARK + json.dumps([form, {name: _value(value) for name, value in values.items()}], ensure_ascii=False)


def _value(value: object) -> int | str:
    if isinstance(value, int):
        return value
    text = str(value)
    # What was kept itself must stay whole.
    return text if text.startswith(MARK) else text[:LONGEST_VALUE]
