"""Forms about lists, products and memberships."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from envoi.audiences.models import Membership, Product
from envoi.audiences.queries import read_targets
from envoi.console.forms import Form, MomentField


class ListForm(Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150, widget=forms.TextInput({"autofocus": True}))
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("For your colleagues; readers do not see it."),
    )


class ProductForm(Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150, widget=forms.TextInput({"autofocus": True}))
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=Product.Type.choices)
    description = forms.CharField(label=gettext_lazy("Description"), required=False, widget=forms.Textarea({"rows": 3}))


class PeopleField(forms.MultipleChoiceField):
    """Contacts found by typing; the value is their primary keys."""

    def __init__(self, **kwargs: Any) -> None:
        url = reverse_lazy("audiences:targets", query={"kind": "contact"})
        super().__init__(widget=forms.SelectMultiple({"data-typeahead": url}), **kwargs)

    def valid_value(self, value: str) -> bool:
        return bool(read_targets([value]).contacts)

    def clean(self, value: Any) -> Any:
        return read_targets(super().clean(value)).contacts


class MembersForm(Form):
    people = PeopleField(label=gettext_lazy("Contacts"))


class MembershipsForm(Form):
    people = PeopleField(label=gettext_lazy("Contacts"))
    status = forms.ChoiceField(
        label=gettext_lazy("Status"), choices=Membership.Status.choices, initial=Membership.Status.ACTIVE
    )


class MembershipForm(Form):
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=Membership.Status.choices)
    expires_at = MomentField(
        label=gettext_lazy("Expires"),
        required=False,
        help_text=gettext_lazy("Leave it empty when it does not end by itself."),
    )
