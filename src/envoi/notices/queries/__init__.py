"""What people see (`shown_to`, `past`), version stamps of it, whom an audience reaches, and what came of a notice."""

from envoi.notices.queries.log import DID, Numbers, numbers, numbers_of, readings
from envoi.notices.queries.reach import reach, write_recipients
from envoi.notices.queries.shown import Shown, past, shown_to
from envoi.notices.queries.site_keys import site_keys
from envoi.notices.queries.stamps import stamp, stamp_of
from envoi.notices.queries.standing import by_key, not_over, standing

__all__ = [
    "DID",
    "Numbers",
    "Shown",
    "by_key",
    "not_over",
    "numbers",
    "numbers_of",
    "past",
    "reach",
    "readings",
    "shown_to",
    "site_keys",
    "stamp",
    "stamp_of",
    "standing",
    "write_recipients",
]
