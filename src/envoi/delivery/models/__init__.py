"""The ledger and what carries it: transports, sender identities, mailings and one row per message and address."""

from envoi.delivery.models.ledger import Delivery, Mailing, Purpose, Tally
from envoi.delivery.models.sending import Pace, Route, SenderIdentity, Transport
from envoi.delivery.models.signing import DkimKey
from envoi.delivery.models.workers import LedgerMark, Shift

__all__ = [
    "Delivery",
    "DkimKey",
    "LedgerMark",
    "Mailing",
    "Pace",
    "Purpose",
    "Route",
    "SenderIdentity",
    "Shift",
    "Tally",
    "Transport",
]
