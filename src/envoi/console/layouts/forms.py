"""The form of a layout."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.console.forms import Form


class LayoutForm(Form):
    """Name, HTML and what stands around the plain version."""

    name = forms.CharField(label=_("Name"), max_length=150)
    html = forms.CharField(
        label=_("HTML"),
        widget=forms.Textarea({"data-code": "html", "rows": 24, "spellcheck": "false"}),
        help_text=_("Write {{ content }} where the content of the e-mail goes."),
        strip=False,
    )
    text = forms.CharField(
        label=_("Plain version"),
        widget=forms.Textarea({"rows": 8}),
        help_text=_("What stands around the plain version, with {{ content }} in it. Empty: made from the HTML."),
        required=False,
        strip=False,
    )
