"""The forms of the wizard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from envoi.audiences.models import AudienceMember
from envoi.audiences.queries import Targets, read_targets, target_labels, targets_of
from envoi.broadcasts import channels
from envoi.broadcasts.models import Broadcast
from envoi.console.forms import Form, ModelForm
from envoi.core import addresses
from envoi.delivery.models import Purpose, SenderIdentity

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Side = AudienceMember.Side
PRIORITY_HELP = _("When several broadcasts are being sent, the higher one goes first; equals share.")
MOST_TESTS = 10


class Chosen(forms.SelectMultiple):
    """A list to choose from by typing; only what is chosen is written into the page."""

    def __init__(self, kind: str) -> None:
        super().__init__({"data-typeahead": reverse_lazy("broadcasts:target-choices", query={"kind": kind})})

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        chosen = target_labels(read_targets(value))
        options = [self.create_option(name, one.id, one.text, True, index) for index, one in enumerate(chosen)]
        return [(None, options, 0)]


class TargetsField(forms.MultipleChoiceField):
    """Lists, products or contacts, by the ids that `audiences.queries` gives them."""

    def __init__(self, kind: str, label: StrPromise, help_text: StrPromise | str = "") -> None:
        super().__init__(label=label, required=False, widget=Chosen(kind), help_text=help_text)

    def validate(self, value: list[str]) -> None:
        """Whatever names nothing is passed over when the ids are read."""


class ChannelForm(Form):
    """Step 1: what kind of broadcast."""

    channel = forms.ChoiceField(
        label=_("Type"),
        widget=forms.RadioSelect,
        choices=lambda: [(channel.name, channel.label) for channel in channels.offered()],
    )


class TargetsForm(Form):
    """Step 2: to whom."""

    contacts = TargetsField("contact", _("Target customers"), _("Type a name or an address."))
    products = TargetsField(
        "product", _("Target products"), _("Everybody whose membership is active, in trial or on hold.")
    )
    lists = TargetsField("list", _("Lists"), _("Everybody whose subscription is confirmed."))
    without_contacts = TargetsField("contact", _("Leave out customers"))
    without_products = TargetsField("product", _("Leave out everybody on products"))
    without_lists = TargetsField("list", _("Leave out everybody on lists"))

    @classmethod
    def of(cls, broadcast: Broadcast) -> TargetsForm:
        """The form as the draft's audience stands."""
        initial: dict[str, list[str]] = {}
        for prefix, side in (("", Side.INCLUDE), ("without_", Side.EXCLUDE)):
            ids = targets_of(broadcast.audience, side).ids
            for name, kind in (("contacts", "contact-"), ("products", "product-"), ("lists", "list-")):
                initial[prefix + name] = [one for one in ids if one.startswith(kind)]
        return cls(initial=initial)

    @property
    def included(self) -> Targets:
        """Whom it goes to, once the form is valid."""
        return self._read("contacts", "products", "lists")

    @property
    def excluded(self) -> Targets:
        """Who is left out, once the form is valid."""
        return self._read("without_contacts", "without_products", "without_lists")

    def _read(self, *names: str) -> Targets:
        return read_targets([one for name in names for one in self.cleaned_data[name]])


class ContentForm(ModelForm[Broadcast]):
    """Step 3: what it says."""

    class Meta:
        model = Broadcast
        fields = (
            "subject",
            "preheader",
            "body_type",
            "body",
            "text_body",
            "layout",
            "identity",
            "priority",
            "purpose",
            "track_opens",
            "track_clicks",
        )
        widgets = {
            "body_type": forms.RadioSelect,
            "purpose": forms.RadioSelect,
            "text_body": forms.Textarea({"rows": 6}),
        }
        labels = {"identity": _("From"), "layout": _("Layout")}
        help_texts = {
            "subject": _("The line readers see first. Merge tags may stand in it."),
            "priority": PRIORITY_HELP,
            "preheader": _("Shown after the subject in most mailboxes."),
            "text_body": _("For readers without HTML. Left empty, it is made from the content."),
            "purpose": _(
                "Marketing and informational messages carry a link to unsubscribe and leave out everybody who has. "
                "Transactional ones are only for what a customer needs to know about a purchase or an account."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rich = (self["body_type"].value() or Broadcast.BodyType.RICH_TEXT) == Broadcast.BodyType.RICH_TEXT
        attrs = {"data-rich-text": ""} if rich else {"data-code": "html", "spellcheck": "false"}
        self.fields["body"].widget = forms.Textarea({"rows": 14, **attrs})
        for name, label in (("layout", _("No layout")), ("identity", _("Choose a sender"))):
            self.fields[name].empty_label = label  # type: ignore[attr-defined]
        self.fields["priority"].required = False
        one_sender(self, self.instance.identity_id)
        for name, choices in (("body_type", Broadcast.BodyType.choices), ("purpose", Purpose.choices)):
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_priority(self) -> int:
        chosen: int | str = self.cleaned_data["priority"]
        return self.instance.priority if chosen == "" else int(chosen)

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        return " ".join(subject.split())


def one_sender(form: forms.BaseForm, chosen: int | None) -> None:
    """Where there is one sender only, nobody is asked."""
    field = form.fields["identity"]
    senders = list(SenderIdentity.objects.values_list("pk", flat=True)[:2])
    if len(senders) == 1 and chosen in (None, *senders):
        field.widget = forms.HiddenInput()
        form.initial["identity"] = senders[0]


class TestForm(Form):
    """Send a test to these addresses."""

    addresses = forms.CharField(
        label=_("Send a test to"), help_text=_("Addresses, separated by commas."), max_length=2000
    )

    def clean_addresses(self) -> list[str]:
        given = self.cleaned_data["addresses"].replace(";", ",").replace("\n", ",").split(",")
        found = [_checked(one) for one in given if one.strip()]
        if not found:
            raise forms.ValidationError(_("Enter at least one address."))
        if len(found) > MOST_TESTS:
            raise forms.ValidationError(_("A test goes to at most %(most)d addresses."), params={"most": MOST_TESTS})
        return list(dict.fromkeys(found))


def _checked(text: str) -> str:
    try:
        return addresses.parse(text).text
    except addresses.AddressError as error:
        raise forms.ValidationError(str(error)) from error
