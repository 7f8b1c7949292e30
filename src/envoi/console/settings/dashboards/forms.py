from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.console.forms import Form


class SiteForm(Form):
    """A site that shows notices."""

    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("Of the site, for you and your colleagues."))
    origins = forms.CharField(
        label=_("Addresses of the site"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://app.example.org"}),
        help_text=_(
            "One per line. Only pages at these addresses may ask from a browser. Leave it empty for WordPress and for "
            "programs: they ask from their server."
        ),
    )
