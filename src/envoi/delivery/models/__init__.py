"""The ledger and what carries it: transports, sender identities, mailings and one row per message and address."""

from envoi.delivery.models.ledger import Delivery, Mailing, Purpose, Tally
from envoi.delivery.models.limits import MailDomain, Pace, ProviderLimit, ProviderPace, WarmUpDay
from envoi.delivery.models.sending import Route, SenderIdentity, Transport
from envoi.delivery.models.signing import DkimKey
from envoi.delivery.models.workers import Lease, LedgerMark, Shift

__all__ = [
    "Delivery",
    "DkimKey",
    "Lease",
    "LedgerMark",
    "MailDomain",
    "Mailing",
    "Pace",
    "ProviderLimit",
    "ProviderPace",
    "Purpose",
    "Route",
    "SenderIdentity",
    "Shift",
    "Tally",
    "Transport",
    "WarmUpDay",
]
