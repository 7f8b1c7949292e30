"""Every setting of this installation: its name, type, default and meaning. What is not here cannot be stored.

Settings that belong to one transport or sender identity stand with those, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from zoneinfo import available_timezones

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Value = TypeVar("Value", str, bool, int)
Text = str | Promise


class SettingRefused(ValueError):
    """A value does not fit its setting.

    Attributes:
        name: of the setting.
        message: for the person who changed it: what is wrong and what would do.
    """

    def __init__(self, name: str, message: Text) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Definition(Generic[Value]):
    """One setting.

    Attributes:
        problem: answers what is wrong with a value of the right type, or None.
    """

    name: str
    default: Value
    label: Text
    help: Text = ""
    problem: Callable[[Value], Text | None] = lambda value: None

    def checked(self, value: object) -> Value:
        """`value`, if it fits.

        Raises:
            SettingRefused: it is of another type, or `problem` names one.
        """
        if type(value) is not type(self.default):
            raise SettingRefused(self.name, _("This is not the kind of value the setting holds."))
        problem = self.problem(value)
        if problem is not None:
            raise SettingRefused(self.name, problem)
        return value


def _time_zone_problem(value: str) -> Text | None:
    return None if value in available_timezones() else _("Choose a time zone from the list, such as Europe/Brussels.")


def _language_problem(value: str) -> Text | None:
    return None if value in dict(settings.LANGUAGES) else _("Choose one of the languages on offer.")


def _longer_than(limit: int) -> Callable[[str], Text | None]:
    return lambda value: _("Shorten this to %(limit)d characters.") % {"limit": limit} if len(value) > limit else None


def _outside(least: int, most: int) -> Callable[[int], Text | None]:
    message = _("Choose a number from %(least)d to %(most)d.")
    return lambda value: None if least <= value <= most else message % {"least": least, "most": most}


ORGANISATION_NAME = Definition(
    "organisation_name", "", _("Organisation name"), _("Stands in the footer of every e-mail."), _longer_than(200)
)
POSTAL_ADDRESS = Definition(
    "postal_address",
    "",
    _("Postal address"),
    _("Stands in the footer of every marketing e-mail; the law of many countries asks for it."),
    _longer_than(500),
)
DEFAULT_LANGUAGE = Definition(
    "default_language",
    "en",
    _("Default language"),
    _("Of contacts and new users whose language is not known."),
    _language_problem,
)
TIME_ZONE = Definition(
    "time_zone", "UTC", _("Time zone"), _("Times in the console are shown in it."), _time_zone_problem
)
OPT_OUT_REQUIRED = Definition(
    "opt_out_required",
    True,
    _("Require an unsubscribe link"),
    _("A marketing e-mail without one is not sent; if its author forgot it, it is added to the footer."),
)
NOTICES_PER_DASHBOARD = Definition(
    "notices_per_dashboard",
    5,
    _("Notices on a dashboard"),
    _("At most so many at once, the most urgent first; the rest is shown on request. 0 shows all."),
    _outside(0, 100),
)
NEW_NOTICES_PER_DAY = Definition(
    "new_notices_per_day",
    0,
    _("New notices a day"),
    _(
        "At most so many that a person has not seen before within 24 hours; errors, and what must be acknowledged, "
        "always come. 0 for no limit."
    ),
    _outside(0, 100),
)

DEFINITIONS: dict[str, Definition[Any]] = {
    definition.name: definition
    for definition in (
        ORGANISATION_NAME,
        POSTAL_ADDRESS,
        DEFAULT_LANGUAGE,
        TIME_ZONE,
        OPT_OUT_REQUIRED,
        NOTICES_PER_DASHBOARD,
        NEW_NOTICES_PER_DAY,
    )
}
