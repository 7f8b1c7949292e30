"""What every form of the console has in common. How a field looks is decided by `{% field %}`, not here."""

from __future__ import annotations

from typing import Any, TypeVar

from django import forms
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


class _House:
    """Labels without a colon; the browser's own checks stay on, and ours decide."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class Form(_House, forms.Form):
    """A form of the console."""


class ModelForm(_House, forms.ModelForm[Row]):
    """A form of one row. Its view hands `cleaned_data` to an action; it never saves by itself."""

    def save(self, commit: bool = True) -> Row:
        raise TypeError("Changes go through an action, which checks, records and announces them.")
