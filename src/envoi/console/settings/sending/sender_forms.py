from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from envoi.console.forms import Form
from envoi.console.settings.sending.transport_forms import PLAIN
from envoi.delivery.actions.senders import SenderValues
from envoi.delivery.models import SenderIdentity, Transport

MOST_ROUTES = 50
WARM_UP = ("warm_up_first", "warm_up_growth", "warm_up_until")


class SenderForm(Form):
    """A sender identity. What is right is decided by the action, not here.

    Beside the fields below there are two for each transport: `use_<key>` says whether its mail goes over it, and
    `weight_<key>` which share.
    """

    from_name = forms.CharField(label=_("From name"), max_length=150, required=False)
    from_address = forms.CharField(label=_("From address"), max_length=254, widget=forms.EmailInput(PLAIN))
    reply_to = forms.CharField(
        label=_("Reply-To address"),
        max_length=254,
        required=False,
        help_text=_("Where answers go, if not to the From address."),
        widget=forms.EmailInput(PLAIN),
    )
    transport = forms.ModelChoiceField(
        Transport.objects.order_by("name"), label=_("Transport"), empty_label=_("Choose a transport")
    )
    weight = forms.IntegerField(
        label=_("Share of this transport"), min_value=0, max_value=1000, initial=1, required=False
    )
    warm_up = forms.BooleanField(label=_("Begin slowly (warm-up)"), required=False)
    warm_up_from = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    warm_up_first = forms.IntegerField(label=_("Messages on the first day"), min_value=1, required=False)
    warm_up_growth = forms.IntegerField(label=_("Growth per day in percent"), min_value=1, required=False)
    warm_up_until = forms.IntegerField(
        label=_("Messages a day at the end"),
        min_value=1,
        required=False,
        help_text=_("From then on there is no limit."),
    )

    def __init__(self, *args: Any, transports: list[Transport], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.transports = transports
        for one in transports[:MOST_ROUTES]:
            self.fields[f"use_{one.pk}"] = forms.BooleanField(label=one.name, required=False)
            self.fields[f"weight_{one.pk}"] = forms.IntegerField(
                label=_("Share of %(transport)s") % {"transport": one.name},
                min_value=0,
                max_value=1000,
                initial=0,
                required=False,
            )

    @classmethod
    def of(cls, identity: SenderIdentity, transports: list[Transport]) -> SenderForm:
        """The form as the sender stands."""
        names = ("from_name", "from_address", "reply_to", "weight", "warm_up_from", *WARM_UP)
        values: dict[str, object] = {name: getattr(identity, name) for name in names}
        only = transports[0].pk if len(transports) == 1 else None
        values |= {"transport": identity.transport_id or only, "warm_up": identity.warm_up_from is not None}
        for route in identity.routes.all() if identity.pk else ():
            values |= {f"use_{route.transport_id}": True, f"weight_{route.transport_id}": route.weight}
        return cls(initial=values, transports=transports)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("warm_up") and not data.get("warm_up_from") and "warm_up_from" not in self.errors:
            self.add_error("warm_up_from", _("Choose the first day of the warm-up."))
        return data

    def wanted(self) -> SenderValues:
        """What the valid form asks for."""
        data = self.cleaned_data
        own = data["transport"].pk
        routes = [
            (one.pk, data[f"weight_{one.pk}"] or 0)
            for one in self.transports[:MOST_ROUTES]
            if data[f"use_{one.pk}"] and one.pk != own
        ]
        stands = {name: data[name] for name in WARM_UP if data[name] is not None}
        return SenderValues(
            from_address=data["from_address"],
            transport=own,
            from_name=data["from_name"],
            reply_to=data["reply_to"],
            weight=1 if data["weight"] is None else data["weight"],
            routes=tuple(routes),
            warm_up_from=data["warm_up_from"] if data["warm_up"] else None,
            **stands,
        )

    def further(self) -> list[tuple[Transport, forms.BoundField, forms.BoundField]]:
        """The transports with their two fields, for the page."""
        return [(one, self[f"use_{one.pk}"], self[f"weight_{one.pk}"]) for one in self.transports[:MOST_ROUTES]]
