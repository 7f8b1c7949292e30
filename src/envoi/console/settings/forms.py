from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import Role
from envoi.accounts.permissions import SCOPES
from envoi.console.forms import Form
from envoi.core import clock
from envoi.instance.schema import DEFINITIONS, Definition


def _time_zones() -> list[tuple[str, str]]:
    """Places people know; the technical aliases (Etc/…, EST5EDT) are left out, UTC stays."""
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


class GeneralForm(Form):
    """The general settings; labels and help stand in the schema."""

    organisation_name = forms.CharField(max_length=200, required=False)
    postal_address = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    default_language = forms.ChoiceField(choices=lambda: settings.LANGUAGES)
    time_zone = forms.ChoiceField(choices=_time_zones, widget=forms.Select(attrs={"data-choices": ""}))
    opt_out_required = forms.BooleanField(required=False)
    notices_per_dashboard = forms.IntegerField(min_value=0, max_value=100, required=False)
    new_notices_per_day = forms.IntegerField(min_value=0, max_value=100, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            definition: Definition[Any] = DEFINITIONS[name]
            field.label, field.help_text = str(definition.label), str(definition.help)

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings, once the form is valid; a number that was left empty stays as it was."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


class UserForm(Form):
    """Somebody new."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.EDITOR)


class RoleForm(Form):
    """Another role for somebody."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class ApiKeyForm(Form):
    """A new key for a program."""

    DAYS = (("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("Until it is revoked")))

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What the program is for, such as “Nightly maintenance”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(scope.value, label) for scope, label in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
    )
    days = forms.ChoiceField(label=_("Valid for"), choices=DAYS, initial="365", required=False)

    def expires_at(self) -> datetime | None:
        """The moment that was chosen, counted from now."""
        days = self.cleaned_data["days"]
        return clock.now() + timedelta(days=int(days)) if days else None
