from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import User
from envoi.console.forms import Form
from envoi.core import addresses
from envoi.delivery.actions.sending import Sending
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.providers import Provider

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class SendingForm(Form):
    """How mail leaves and whom it comes from. What is right is decided by the action, not here."""

    kind = forms.ChoiceField(
        label=_("Send through"), choices=Transport.Kind.choices, widget=forms.RadioSelect({"class": "form-check-input"})
    )
    host = forms.CharField(
        label=_("Host"),
        max_length=253,
        required=False,
        widget=forms.TextInput({"placeholder": "smtp.example.org", **_PLAIN}),
    )
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, required=False)
    security = forms.ChoiceField(label=_("Encryption"), choices=Transport.Security.choices, required=False)
    username = forms.CharField(label=_("User name"), max_length=254, required=False, widget=forms.TextInput(_PLAIN))
    password = forms.CharField(
        label=_("Password"),
        max_length=2000,
        required=False,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    forget = forms.BooleanField(label=_("Remove user name and password"), required=False)
    from_name = forms.CharField(label=_("From name"), max_length=150, required=False)
    from_address = forms.CharField(label=_("From address"), max_length=254, widget=forms.EmailInput(_PLAIN))
    reply_to = forms.CharField(
        label=_("Reply-To address"),
        max_length=254,
        required=False,
        help_text=_("Where answers go, if not to the From address."),
        widget=forms.EmailInput(_PLAIN),
    )
    max_connections = forms.IntegerField(
        label=_("Connections at once"), min_value=1, max_value=50, help_text=_("Most providers allow 5 to 20.")
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

    def __init__(self, *args: Any, stored_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["port"].error_messages["invalid"] = _("Enter a number, such as 587 or 465.")
        if stored_password:
            self.fields["password"].help_text = _("A password is stored. Leave this empty to keep it.")
        else:
            del self.fields["forget"]

    def wanted(self) -> Sending:
        """What the valid form asks for."""
        data = self.cleaned_data
        forget = data.get("forget", False)
        return Sending(
            kind=data["kind"],
            host=data["host"],
            port=data["port"] or 0,
            security=data["security"],
            username="" if forget else data["username"],
            password="" if forget else data["password"] or None,
            from_name=data["from_name"],
            from_address=data["from_address"],
            reply_to=data["reply_to"],
            max_connections=data["max_connections"],
            per_second=data["per_second"],
            per_hour=data["per_hour"],
        )


class TrialForm(Form):
    """Whom to send a test message."""

    to = forms.CharField(label=_("Send a test message to"), max_length=254, widget=forms.EmailInput(_PLAIN))

    def clean_to(self) -> str:
        try:
            return addresses.parse(self.cleaned_data["to"]).text
        except addresses.AddressError as error:
            raise forms.ValidationError(str(error)) from error


def somebody(user: User, identity: SenderIdentity) -> str:
    """Whom a test goes to unless another is named: the user, or where their address is none (owner@localhost), the
    sender's own domain."""
    try:
        return addresses.parse(user.email).text
    except addresses.AddressError:
        return f"test@{identity.from_address.rpartition('@')[2]}" if identity.from_address else ""


def initial(identity: SenderIdentity, provider: Provider | None) -> dict[str, object]:
    """What the form shows at first: what is stored, or what a provider wants instead."""
    transport = identity.transport
    names = ("kind", "host", "port", "security", "username", "max_connections", "per_second", "per_hour")
    values: dict[str, object] = {name: getattr(transport, name) for name in names}
    values |= {name: getattr(identity, name) for name in ("from_name", "from_address", "reply_to")}
    if provider is not None:
        values |= {"kind": Transport.Kind.SMTP, "host": provider.host, "port": provider.port}
        values |= {"security": provider.security, "username": provider.username}
    return values
