from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.console.forms import Form
from envoi.console.settings.sending.transport_forms import PLAIN
from envoi.delivery.models import DkimKey


class KeyForm(Form):
    """A key to be made."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=253,
        help_text=_("The part of your From address after the @."),
        widget=forms.TextInput({"placeholder": "example.org", **PLAIN}),
    )
    algorithm = forms.ChoiceField(
        label=_("Kind of key"),
        choices=DkimKey.Algorithm.choices,
        initial=DkimKey.Algorithm.RSA,
        widget=forms.RadioSelect({"class": "form-check-input"}),
        help_text=_("Every receiver knows RSA. Ed25519 is faster and shorter; make one as a second key beside RSA."),
    )
    selector = forms.CharField(
        label=_("Selector"),
        max_length=63,
        required=False,
        help_text=_("Part of the record’s name in DNS. Empty: a free one is chosen."),
        widget=forms.TextInput({"placeholder": "envoi1", **PLAIN}),
    )
