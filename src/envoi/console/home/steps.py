"""What a newcomer does first, and what of it is done: told by what is there, nothing is ticked by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import User
from envoi.accounts.permissions import Permission, may
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact
from envoi.delivery.models import SenderIdentity, Transport
from envoi.instance import queries
from envoi.instance.schema import ORGANISATION_NAME, POSTAL_ADDRESS


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        view: name of the page where it is done.
        permission: who may.
        modal: the page opens in a dialog.
    """

    title: Promise
    text: Promise
    view: str
    permission: Permission
    done: bool
    modal: bool = False


def steps(user: User) -> list[Step]:
    """The steps that `user` may take, in order."""
    settings = queries.get_all()
    found = [
        Step(
            _("Say who you are"),
            _("Name and postal address, for the footer of your e-mails."),
            "settings:general",
            Permission.MANAGE_SETTINGS,
            bool(settings[ORGANISATION_NAME.name] and settings[POSTAL_ADDRESS.name]),
        ),
        Step(
            _("Bring in your contacts"),
            _("From a CSV file, with a preview before anything is stored."),
            "contacts:import-new",
            Permission.EDIT_CONTACTS,
            Contact.objects.exists(),
        ),
        Step(
            _("Send a first broadcast"),
            _("It goes to the sandbox mailbox: real e-mail that reaches nobody."),
            "broadcasts:new",
            Permission.SEND_BROADCASTS,
            Broadcast.objects.exclude(status=Broadcast.Status.DRAFT).exists(),
            modal=True,
        ),
        Step(
            _("Connect your mail server"),
            _("From then on your broadcasts reach people."),
            "settings:sending",
            Permission.MANAGE_SETTINGS,
            SenderIdentity.objects.filter(transport__kind=Transport.Kind.SMTP).exists(),
        ),
    ]
    return [step for step in found if may(user, step.permission)]
