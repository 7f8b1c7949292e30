"""Text as people search it."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """`text` in lower case and without accents, so that “asa” finds Åsa on every database."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
