from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import User
from envoi.console.forms import Form
from envoi.core import addresses
from envoi.delivery.actions.transports import LIMITS, TransportValues
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.providers import Provider

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
DAYS = (
    ("1", _("Monday")), ("2", _("Tuesday")), ("3", _("Wednesday")), ("4", _("Thursday")), ("5", _("Friday")),
    ("6", _("Saturday")), ("7", _("Sunday")),
)  # fmt: skip
STORED = ("name", "kind", "host", "port", "security", "username")


class RelayFields(Form):
    """Where to, and as whom."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("For you and your colleagues."))
    kind = forms.ChoiceField(
        label=_("Send through"), choices=Transport.Kind.choices, widget=forms.RadioSelect({"class": "form-check-input"})
    )
    host = forms.CharField(
        label=_("Host"),
        max_length=253,
        required=False,
        widget=forms.TextInput({"placeholder": "smtp.example.org", **PLAIN}),
    )
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, required=False)
    security = forms.ChoiceField(label=_("Encryption"), choices=Transport.Security.choices, required=False)
    username = forms.CharField(label=_("User name"), max_length=254, required=False, widget=forms.TextInput(PLAIN))
    password = forms.CharField(
        label=_("Password"),
        max_length=2000,
        required=False,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    forget = forms.BooleanField(label=_("Remove user name and password"), required=False)


class TransportForm(RelayFields):
    """A transport with its limits. What is right is decided by the action, not here."""

    max_connections = forms.IntegerField(
        label=_("Connections at once"), min_value=1, max_value=50, help_text=_("Most providers allow 5 to 20.")
    )
    messages_per_connection = forms.IntegerField(
        label=_("Messages per connection"), min_value=1, help_text=_("Then a new one is opened.")
    )
    per_second = forms.IntegerField(
        label=_("Messages per second"),
        min_value=1,
        required=False,
        help_text=_("Empty: as fast as the server takes them."),
    )
    per_hour = forms.IntegerField(
        label=_("Messages per hour"), min_value=1, required=False, help_text=_("Empty: no limit.")
    )
    open_from = forms.TimeField(
        label=_("Sends from"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    open_until = forms.TimeField(
        label=_("Sends until"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("Empty: at any hour. The hours may run past midnight."),
    )
    open_days = forms.MultipleChoiceField(
        label=_("On these days"),
        # Most languages write them small, but not at the beginning.
        choices=[(value, capfirst(label)) for value, label in DAYS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    release = forms.ChoiceField(
        label=_("Messages leave"),
        choices=Transport.Release.choices,
        widget=forms.RadioSelect({"class": "form-check-input"}),
    )
    portion = forms.IntegerField(label=_("Messages per run"), min_value=1, required=False)
    portion_minutes = forms.IntegerField(
        label=_("Minutes between runs"),
        min_value=1,
        required=False,
        help_text=_("Empty: only when “envoi send-due” is called, for example by cron."),
    )

    def __init__(self, *args: Any, stored_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["port"].error_messages["invalid"] = _("Enter a number, such as 587 or 465.")
        if stored_password:
            self.fields["password"].help_text = _("A password is stored. Leave this empty to keep it.")
        else:
            del self.fields["forget"]

    @classmethod
    def of(cls, transport: Transport, provider: Provider | None, kind: str = "") -> TransportForm:
        """The form as the transport stands, or with what a provider wants instead, or another kind."""
        values: dict[str, object] = {name: getattr(transport, name) for name in (*STORED, *LIMITS)}
        values["open_days"] = list(transport.open_days)
        if kind in Transport.Kind.values:
            values["kind"] = kind
        if provider is not None:
            values |= {"kind": Transport.Kind.SMTP, "host": provider.host, "port": provider.port}
            values |= {"security": provider.security, "username": provider.username}
            values["name"] = values["name"] or provider.name
        return cls(initial=values, stored_password=bool(transport.password_encrypted))

    def wanted(self) -> TransportValues:
        """What the valid form asks for."""
        data = self.cleaned_data
        forget = data.get("forget", False)
        limits = {name: data[name] for name in LIMITS}
        return TransportValues(
            name=data["name"],
            kind=data["kind"],
            host=data["host"],
            port=data["port"] or 0,
            security=data["security"],
            username="" if forget else data["username"],
            password="" if forget else data["password"] or None,
            **limits | {"open_days": "".join(data["open_days"])},
        )


class ProviderLimitForm(Form):
    """What may go to one receiving provider."""

    provider = forms.CharField(
        label=_("Provider"),
        max_length=253,
        required=False,
        help_text=_("A domain such as gmail.com. Empty: every provider without a limit of its own."),
        widget=forms.TextInput(PLAIN),
    )
    per_minute = forms.IntegerField(label=_("Messages per minute"), min_value=1, required=False)
    at_once = forms.IntegerField(label=_("Messages at once"), min_value=1, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The page has another form with fields of these kinds.
        super().__init__(*args, auto_id="limit_%s", **kwargs)


class TrialForm(Form):
    """Whom to send a test message."""

    to = forms.CharField(label=_("Send a test message to"), max_length=254, widget=forms.EmailInput(PLAIN))

    def clean_to(self) -> str:
        try:
            return addresses.parse(self.cleaned_data["to"]).text
        except addresses.AddressError as error:
            raise forms.ValidationError(str(error)) from error


def somebody(user: User, identity: SenderIdentity | None) -> str:
    """Whom a test goes to unless another is named: the user, or where their address is none (owner@localhost), the
    sender's own domain."""
    try:
        return addresses.parse(user.email).text
    except addresses.AddressError:
        return f"test@{identity.from_address.rpartition('@')[2]}" if identity else ""
