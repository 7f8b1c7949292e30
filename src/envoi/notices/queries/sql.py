# ruff: noqa: S608 - put together from names of tables and constants of this code; every value is a parameter
"""The SQL that decides for whom a notice is: read by one person's look, by the fixing of an audience and by counting.

A person is an address: what is known under any of the contacts that share it (a contact, a user, an account) counts,
for being meant, for being left out and for having dismissed. An audience includes whoever holds a current membership
of its products, a confirmed subscription to its lists, or is named; it leaves out whoever stands on an excluded list
(whatever the subscription says) or product, or is named, as e-mail does. Suppressed addresses are people too: they get
no e-mail, but they see notices.
"""

from __future__ import annotations

from envoi.audiences.models import AudienceMember, Membership, Subscription
from envoi.contacts.models import Contact
from envoi.notices.models import Level, Notice, NoticeRecipient, Reading

MEMBER, SUBSCRIPTION, MEMBERSHIP = (model._meta.db_table for model in (AudienceMember, Subscription, Membership))
CONTACT = Contact._meta.db_table
NOTICE, RECIPIENT, READING = (model._meta.db_table for model in (Notice, NoticeRecipient, Reading))

CURRENT = ", ".join(f"'{status}'" for status in Membership.CURRENT)
CONFIRMED = Subscription.Status.CONFIRMED
INCLUDE, EXCLUDE = AudienceMember.Side.INCLUDE, AudienceMember.Side.EXCLUDE

# Most urgent first.
LEVELS = (Level.ERROR, Level.WARNING, Level.SUCCESS, Level.INFO)
_PLACES = " ".join(f"WHEN '{level}' THEN {place}" for place, level in enumerate(LEVELS))
URGENCY = f"CASE n.level {_PLACES} ELSE 9 END"

# One person: %(contact)s. A handful of rows each, computed once.
PERSON = f"""
person AS MATERIALIZED (
    SELECT id FROM {CONTACT} WHERE address_key = (SELECT address_key FROM {CONTACT} WHERE id = %(contact)s)
), holds AS MATERIALIZED (
    SELECT product_id FROM {MEMBERSHIP} WHERE contact_id IN (SELECT id FROM person) AND status IN ({CURRENT})
), stands AS MATERIALIZED (
    SELECT list_id, status FROM {SUBSCRIPTION} WHERE contact_id IN (SELECT id FROM person)
)"""


def _named(side: str, lists: str) -> str:
    return f"""(
    EXISTS (SELECT 1 FROM {MEMBER} m WHERE m.audience_id = n.audience_id AND m.side = '{side}'
               AND m.product_id IN (SELECT product_id FROM holds))
    OR EXISTS (SELECT 1 FROM {MEMBER} m WHERE m.audience_id = n.audience_id AND m.side = '{side}'
               AND m.list_id IN ({lists}))
    OR EXISTS (SELECT 1 FROM {MEMBER} m WHERE m.audience_id = n.audience_id AND m.side = '{side}'
               AND m.contact_id IN (SELECT id FROM person)))"""


# Whether notice n is for the person.
IS_FOR = f"""CASE WHEN n.fixed_at IS NOT NULL
    THEN EXISTS (SELECT 1 FROM {RECIPIENT} r WHERE r.notice_id = n.id AND r.contact_id IN (SELECT id FROM person))
    ELSE {_named(INCLUDE, f"SELECT list_id FROM stands WHERE status = '{CONFIRMED}'")}
     AND NOT {_named(EXCLUDE, "SELECT list_id FROM stands")}
    END"""

# Whether notice n stands at %(now)s.
STANDS = "n.withdrawn_at IS NULL AND n.starts_at <= %(now)s AND (n.ends_at IS NULL OR n.ends_at > %(now)s)"

# Everybody of %(audience)s: contact_id, a row for each contact.
EVERYBODY = f"""
included AS (
    SELECT s.contact_id FROM {MEMBER} m JOIN {MEMBERSHIP} s ON s.product_id = m.product_id AND s.status IN ({CURRENT})
     WHERE m.audience_id = %(audience)s AND m.side = '{INCLUDE}'
    UNION
    SELECT s.contact_id FROM {MEMBER} m JOIN {SUBSCRIPTION} s ON s.list_id = m.list_id AND s.status = '{CONFIRMED}'
     WHERE m.audience_id = %(audience)s AND m.side = '{INCLUDE}'
    UNION
    SELECT m.contact_id FROM {MEMBER} m
     WHERE m.audience_id = %(audience)s AND m.side = '{INCLUDE}' AND m.contact_id IS NOT NULL
), barred AS (
    SELECT s.contact_id FROM {MEMBER} m JOIN {MEMBERSHIP} s ON s.product_id = m.product_id AND s.status IN ({CURRENT})
     WHERE m.audience_id = %(audience)s AND m.side = '{EXCLUDE}'
    UNION
    SELECT s.contact_id FROM {MEMBER} m JOIN {SUBSCRIPTION} s ON s.list_id = m.list_id
     WHERE m.audience_id = %(audience)s AND m.side = '{EXCLUDE}'
    UNION
    SELECT m.contact_id FROM {MEMBER} m
     WHERE m.audience_id = %(audience)s AND m.side = '{EXCLUDE}' AND m.contact_id IS NOT NULL
), excluded AS (
    SELECT DISTINCT c.address_key FROM barred b JOIN {CONTACT} c ON c.id = b.contact_id
), meant AS (
    SELECT c.id AS contact_id, c.address_key FROM included i JOIN {CONTACT} c ON c.id = i.contact_id
     WHERE NOT EXISTS (SELECT 1 FROM excluded e WHERE e.address_key = c.address_key)
)"""
