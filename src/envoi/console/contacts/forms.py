"""Forms about contacts, suppressions and imports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from envoi.audiences import queries as audiences
from envoi.audiences.models import List
from envoi.console.forms import Form
from envoi.contacts import queries
from envoi.contacts.importing import columns, detect
from envoi.contacts.models import Contact, FieldDefinition, Import, Kind
from envoi.contacts.values import LONGEST, LONGEST_FURTHER, TEXT_FIELDS


class ContactForm(Form):
    """Everything about a contact; the action checks the values."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Kind.choices, initial=Kind.CONTACT)
    address = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.TextInput({"type": "email", "autocomplete": "off", "autofocus": True}),
    )

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        if contact:
            kwargs["initial"] = values_of(contact)
        super().__init__(*args, **kwargs)
        for name in TEXT_FIELDS:
            label = Contact._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            self.fields[name] = forms.CharField(label=str(label).capitalize(), max_length=LONGEST[name], required=False)
        self.fields["language"].help_text = _("As a code, such as en, fr, nl-BE or sv.")
        self.fields["reference"].help_text = _("The number or name under which another system knows this contact.")
        for definition in queries.further_fields():
            self.fields[f"field:{definition.key}"] = _further(definition)


def _further(definition: FieldDefinition) -> forms.Field:
    match definition.type:
        case FieldDefinition.Type.YES_NO:
            choices = [("", "–"), ("yes", _("Yes")), ("no", _("No"))]
            return forms.ChoiceField(label=definition.label, choices=choices, required=False)
        case FieldDefinition.Type.DATE:
            widget = forms.TextInput({"type": "date"})
        case FieldDefinition.Type.NUMBER:
            widget = forms.TextInput({"inputmode": "decimal"})
        case _:
            widget = forms.TextInput()
    return forms.CharField(label=definition.label, max_length=LONGEST_FURTHER, required=False, widget=widget)


def values_of(contact: Contact) -> dict[str, str]:
    """A contact as a form holds it."""
    further = {f"field:{key}": _as_text(value) for key, value in contact.fields.items()}
    return {name: getattr(contact, name) for name in ("kind", "address", *TEXT_FIELDS)} | further


def _as_text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


class FieldForm(Form):
    """A further field."""

    label = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=FieldDefinition.Type.choices)


class SuppressionForm(Form):
    """An address typed by hand."""

    address = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.TextInput({"type": "email", "autofocus": True}),
    )
    source = forms.CharField(
        label=gettext_lazy("Note"), max_length=200, required=False, help_text=gettext_lazy("Why, or who asked for it.")
    )


class UploadForm(Form):
    """A file from the person's machine."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"}),
        help_text=gettext_lazy(
            "One contact per line, with a column for the e-mail address. Any size, any usual encoding and delimiter."
        ),
    )


class ReadForm(Form):
    """How the file is read."""

    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=list(detect.ENCODINGS.items()))
    delimiter = forms.ChoiceField(label=gettext_lazy("Delimiter"), choices=list(detect.DELIMITERS.items()))


class MappingForm(Form):
    """Which column is which field, and what happens to the people."""

    kind = forms.ChoiceField(label=gettext_lazy("Take them as"), choices=Kind.choices, initial=Kind.CONTACT)
    target = forms.ChoiceField(label=gettext_lazy("Put them on a list"), required=False)
    new_list = forms.CharField(label=gettext_lazy("Name of the new list"), max_length=150, required=False)
    update_existing = forms.BooleanField(
        label=gettext_lazy("Update contacts that are known already"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Empty cells never empty a field."),
    )

    def __init__(self, *args: Any, of: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = [(str(row.pk), row.name) for row in audiences.active_lists()[:1000]]
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            ("", pgettext_lazy("list", "On no list")),
            *lists,
            ("new", _("A new list…")),
        ]
        choices = field_choices()
        for number, name in enumerate(of.columns):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                label=name, choices=choices, required=False, initial=of.mapping.get(str(number), "")
            )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("target") == "new" and not found.get("new_list", "").strip():
            self.add_error("new_list", _("Give the new list a name."))
        return found

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("column-")]

    @property
    def mapping(self) -> dict[str, str]:
        """Number of the column → field, as the action takes it."""
        pairs = ((name, self.cleaned_data.get(name, "")) for name in self.fields if name.startswith("column-"))
        return {name.removeprefix("column-"): value for name, value in pairs if value}

    @property
    def chosen_list(self) -> List | None:
        key = self.cleaned_data.get("target", "")
        return List.objects.filter(pk=int(key)).first() if key.isdigit() else None


def field_choices() -> list[tuple[str, str]]:
    """What a column can be."""
    own = [
        (name, str(Contact._meta.get_field(name).verbose_name).capitalize())  # type: ignore[union-attr]
        for name in ("address", *TEXT_FIELDS)
    ]
    further = [(f"field:{row.key}", row.label) for row in queries.further_fields()]
    return [
        ("", _("Leave out")),
        *own,
        (columns.FULL_NAME, _("Full name")),
        *further,
        (columns.NEW_FIELD, _("A new field of this name")),
    ]
