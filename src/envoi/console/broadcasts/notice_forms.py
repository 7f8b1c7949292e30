"""What a message on dashboards says and how it stands there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.broadcasts.models import PRIORITIES, Broadcast, NoticePlan
from envoi.console.broadcasts.forms import PRIORITY_HELP, one_sender
from envoi.console.forms import Form, MomentField
from envoi.content.models import Layout
from envoi.core import clock
from envoi.delivery.models import Mailing, Purpose, SenderIdentity
from envoi.notices.cleaning import has_words
from envoi.notices.models import Level, Notice

BROADCAST = ("subject", "body", "preheader", "layout", "identity", "priority", "purpose")


class LookForm(Form):
    """What can be changed as long as it stands."""

    level = forms.ChoiceField(label=_("Message type"), widget=forms.RadioSelect, choices=Level.choices)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=300)
    body = forms.CharField(
        label=_("Content"), required=False, widget=forms.Textarea({"rows": 8, "data-rich-text": ""}), max_length=50_000
    )
    link_label = forms.CharField(label=_("Text of the button"), required=False, max_length=80)
    link_url = forms.CharField(
        label=_("Address of the button"),
        required=False,
        max_length=2000,
        widget=forms.TextInput({"inputmode": "url", "placeholder": "https://"}),
        help_text=_("Leave both empty for no button."),
    )
    ends_at = MomentField(label=_("Until"), required=False, help_text=_("Left empty, it stands until you end it."))
    dismissible = forms.BooleanField(label=_("People can dismiss it"), required=False)
    must_acknowledge = forms.BooleanField(
        label=_("People must confirm that they have read it"),
        required=False,
        help_text=_("It stays until they do; nobody can dismiss it unread."),
    )

    @classmethod
    def of_notice(cls, notice: Notice) -> LookForm:
        """The form as the notice stands."""
        return cls(initial={name: getattr(notice, name) for name in cls.base_fields})

    @property
    def wording(self) -> dict[str, Any]:
        """What the notice is to say from now on, once the form is valid. Empty tags of the editor are no content."""
        body = self.cleaned_data["body"]
        return self.cleaned_data | {"body": body if has_words(body) else ""}


class ScheduledForm(LookForm):
    """The same while it has not appeared."""

    starts_at = MomentField(label=_("From"), required=False, help_text=_("Left empty, it appears at once."))

    @property
    def wording(self) -> dict[str, Any]:
        return super().wording | {"starts_at": self.cleaned_data["starts_at"] or clock.now()}


class NoticeForm(ScheduledForm):
    """Step 3 of the wizard for a message."""

    fixed = forms.BooleanField(
        label=_("Only for those who are targets at the moment of sending"),
        required=False,
        help_text=_("Otherwise who buys the product later sees it too, and who leaves does not."),
    )
    email = forms.ChoiceField(label=_("E-mail as well"), widget=forms.RadioSelect, choices=NoticePlan.Email.choices)
    email_after_hours = forms.IntegerField(
        label=_("Hours to wait before the e-mail"), min_value=1, max_value=720, initial=24, required=False
    )
    preheader = forms.CharField(label=_("Preview text"), required=False, max_length=300)
    layout = forms.ModelChoiceField(Layout.objects.all(), label=_("Layout"), required=False, empty_label=_("No layout"))
    identity = forms.ModelChoiceField(
        SenderIdentity.objects.all(), label=_("From"), required=False, empty_label=_("Choose a sender")
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        coerce=int,
        empty_value="",
        required=False,
        choices=[(one.value, one.label) for one in PRIORITIES],
        help_text=PRIORITY_HELP,
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Purpose.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one_sender(self, self.initial.get("identity"))

    @classmethod
    def of(cls, broadcast: Broadcast) -> NoticeForm:
        """The form as the draft stands."""
        plan = broadcast.plan
        return cls(initial={name: getattr(broadcast if name in BROADCAST else plan, name) for name in cls.base_fields})

    def clean_priority(self) -> int:
        return int(self.cleaned_data["priority"] or Mailing.Priority.NORMAL)

    def clean_email_after_hours(self) -> int:
        return int(self.cleaned_data["email_after_hours"] or 24)

    @property
    def content(self) -> dict[str, Any]:
        """The part that stands with the broadcast."""
        return {name: value for name, value in self.cleaned_data.items() if name in BROADCAST}

    @property
    def plan(self) -> dict[str, Any]:
        """The part that stands with its plan."""
        return {name: value for name, value in self.cleaned_data.items() if name not in BROADCAST}
