"""What every form of the console has in common. How a field looks is decided by `{% field %}`, not here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

Row = TypeVar("Row", bound=Model)


class _House:
    """Labels without a colon; the browser's own checks stay on, and ours decide."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class Form(_House, forms.Form):
    """A form of the console."""


class MomentField(forms.DateTimeField):
    """A day and a time, in the time zone of the page; of a year with which the databases and we can reckon."""

    EARLIEST, LATEST = 2000, 2200

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        super().__init__(**kwargs)

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        if value is not None and not self.EARLIEST <= value.year <= self.LATEST:
            raise forms.ValidationError(
                _("Choose a year from %(first)s to %(last)s."),
                params={"first": self.EARLIEST, "last": self.LATEST},
            )


class ModelForm(_House, forms.ModelForm[Row]):
    """A form of one row. Its view hands `cleaned_data` to an action; it never saves by itself."""

    def save(self, commit: bool = True) -> Row:
        raise TypeError("Changes go through an action, which checks, records and announces them.")
