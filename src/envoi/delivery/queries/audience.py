# ruff: noqa: S608 - put together from names of tables and constants of this code; every value is a parameter
"""Who of an audience gets the message: counted for the preview, frozen into the ledger at the start, by the same SQL.

Guarantees: one statement whatever the size; every candidate gets a row, with a reason when it is skipped; of the rows
with one address at most one is not skipped.

The reason is the first of these that holds: invalid address, excluded, unsubscribed or suppressed (the address), then
unsubscribed or no consent (the only ways in are such subscriptions), then duplicate address. An address that several
contacts hold goes to the contact, before the lead, the user and the account (a person before an organisation), and
among equals to the oldest. Exclusion counts everybody on an excluded list, whatever the subscription says, and goes by
address: another contact with the address is left out too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from envoi.audiences.models import Audience, AudienceMember, Membership, Subscription
from envoi.contacts.models import Contact, Kind, Suppression
from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing, Purpose

Skip = Delivery.SkipReason

CONFIRMED, UNCONFIRMED, LEFT = 0, 1, 2
TURN = {Kind.CONTACT: 0, Kind.LEAD: 1, Kind.USER: 2, Kind.ACCOUNT: 3}
MANY = 5000
ALWAYS_HONOURED = tuple(str(reason) for reason in Suppression.Reason if reason != Suppression.Reason.UNSUBSCRIBED)


@dataclass(frozen=True, slots=True)
class AudienceCount:
    """What a freeze at this moment would give."""

    total: int
    will_receive: int
    skipped: dict[Delivery.SkipReason, int]


def preview(audience: Audience, purpose: str) -> AudienceCount:
    """How many of `audience` would get a message of `purpose`, and why the others would not."""
    with connection.cursor() as cursor:
        cursor.execute(_of_this_database(_COUNT), _parameters(audience, purpose))
        counts: dict[str, int] = dict(cursor.fetchall())
    will_receive = counts.pop("", 0)
    return AudienceCount(
        total=will_receive + sum(counts.values()),
        will_receive=will_receive,
        skipped={reason: counts[reason] for reason in Skip if reason in counts},
    )


def freeze(mailing: Mailing, audience: Audience) -> int:
    """Write the ledger of `mailing`: one row per candidate, pending or skipped. Gives the number of rows."""
    now = connection.ops.adapt_datetimefield_value(clock.now())
    seed = secrets.randbits(64) - 2**63
    values = _parameters(audience, mailing.purpose, mailing=mailing.pk, now=now, seed=seed)
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE[connection.vendor])
        before = int(cursor.fetchone()[0])
        with _planned_for_many(cursor, values):
            cursor.execute(_of_this_database(_INSERT), values)
            rows = int(cursor.rowcount)
        if rows:
            cursor.execute(_RANGE, {"mailing": mailing.pk, "before": before})
            mailing.first_id, mailing.last_id = cursor.fetchone()
        if rows >= MANY and connection.vendor == "postgresql":
            # A planner that still believes the ledger to be small reads all of it for every batch.
            # Only how many rows there are matters: a tenth of the usual sample tells that, in 8 instead of 90 ms.
            cursor.execute("SET LOCAL default_statistics_target = 10")
            cursor.execute(f"ANALYZE {_DELIVERY} (id, mailing_id, state)")
            cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")
    mailing.leased_to = max(0, mailing.first_id - 1)
    mailing.save(update_fields=["first_id", "last_id", "leased_to"])
    return rows


@contextmanager
def _planned_for_many(cursor: CursorWrapper, values: dict[str, Any]) -> Iterator[None]:
    """PostgreSQL expects 200 candidates, since it knows no statistics of what is put together from several tables.

    So it would look up each contact by itself, where a good part of all contacts is meant: a seventh of a freeze.
    """
    if connection.vendor != "postgresql":
        yield
        return
    # Else a million candidates are sorted and grouped in files.
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute(_PLENTY, values)
    plenty = bool(cursor.fetchone()[0])
    if plenty:
        cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    if plenty:
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")


def _of_this_database(statement: str) -> str:
    vendor = connection.vendor
    return statement.format(random_key=_RANDOM_KEY[vendor], address_key=_ADDRESS_KEY[vendor])


def _parameters(audience: Audience, purpose: str, **more: Any) -> dict[str, Any]:
    return {"audience": audience.pk, "transactional": int(purpose == Purpose.TRANSACTIONAL), **more}


def _listed(values: tuple[str, ...]) -> str:
    """Constants of this code as SQL literals."""
    return ", ".join(f"'{value}'" for value in values)


_MEMBER, _SUBSCRIPTION, _MEMBERSHIP = (model._meta.db_table for model in (AudienceMember, Subscription, Membership))
_CONTACT, _SUPPRESSION, _DELIVERY = (model._meta.db_table for model in (Contact, Suppression, Delivery))

_REACHED = f"""
WITH reached AS (
    SELECT s.contact_id, CASE s.status WHEN '{Subscription.Status.CONFIRMED}' THEN {CONFIRMED}
                                       WHEN '{Subscription.Status.UNCONFIRMED}' THEN {UNCONFIRMED}
                                       ELSE {LEFT} END AS consent
      FROM {_MEMBER} m JOIN {_SUBSCRIPTION} s ON s.list_id = m.list_id
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.INCLUDE}'
    UNION ALL
    SELECT s.contact_id, {CONFIRMED}
      FROM {_MEMBER} m JOIN {_MEMBERSHIP} s ON s.product_id = m.product_id
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.INCLUDE}'
       AND s.status IN ({_listed(Membership.CURRENT)})
    UNION ALL
    SELECT m.contact_id, {CONFIRMED}
      FROM {_MEMBER} m
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.INCLUDE}' AND m.contact_id IS NOT NULL
)"""
# The reason is computed per contact, then the places among those who share an address. Grouping before joining keeps
# the wide columns out of the sort.
_JUDGED = f"""{_REACHED}, included AS (
    SELECT contact_id, MIN(consent) AS consent FROM reached GROUP BY contact_id
), barred AS (
    SELECT s.contact_id
      FROM {_MEMBER} m JOIN {_SUBSCRIPTION} s ON s.list_id = m.list_id
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.EXCLUDE}'
    UNION
    SELECT s.contact_id
      FROM {_MEMBER} m JOIN {_MEMBERSHIP} s ON s.product_id = m.product_id
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.EXCLUDE}'
       AND s.status IN ({_listed(Membership.CURRENT)})
    UNION
    SELECT m.contact_id
      FROM {_MEMBER} m
     WHERE m.audience_id = %(audience)s AND m.side = '{AudienceMember.Side.EXCLUDE}' AND m.contact_id IS NOT NULL
), excluded AS (
    SELECT DISTINCT c.address_key FROM barred b JOIN {_CONTACT} c ON c.id = b.contact_id
), checked AS (
    SELECT c.id AS contact_id, c.address, c.address_key,
           CASE c.kind {" ".join(f"WHEN '{kind}' THEN {turn}" for kind, turn in TURN.items())} ELSE 9 END AS turn,
           CASE WHEN c.address_key NOT LIKE '%%_@_%%' OR c.address_key LIKE '%% %%' OR c.address_key LIKE '%%@%%@%%'
                     THEN '{Skip.INVALID_ADDRESS}'
                WHEN e.address_key IS NOT NULL THEN '{Skip.EXCLUDED}'
                WHEN p.reason IN ({_listed(ALWAYS_HONOURED)}) THEN '{Skip.SUPPRESSED}'
                WHEN %(transactional)s = 1 THEN ''
                WHEN p.reason IS NOT NULL OR i.consent = {LEFT} THEN '{Skip.UNSUBSCRIBED}'
                WHEN i.consent = {UNCONFIRMED} THEN '{Skip.NO_CONSENT}'
                ELSE '' END AS hindrance
      FROM included i JOIN {_CONTACT} c ON c.id = i.contact_id
      LEFT JOIN excluded e ON e.address_key = c.address_key
      LEFT JOIN {_SUPPRESSION} p ON p.address_key = c.address_key
), judged AS (
    SELECT contact_id, address, address_key,
           CASE WHEN hindrance = ''
                 AND ROW_NUMBER() OVER (PARTITION BY {{address_key}}, hindrance ORDER BY turn, contact_id) > 1
                THEN '{Skip.DUPLICATE_ADDRESS}' ELSE hindrance END AS reason
      FROM checked
)
"""

# More than a tenth of all contacts, by PostgreSQL's own estimate of how many there are.
_PLENTY = f"""
{_REACHED} SELECT EXISTS (SELECT 1 FROM reached
                          OFFSET (SELECT GREATEST(1000, reltuples / 10)::bigint
                                    FROM pg_class WHERE oid = '{_CONTACT}'::regclass))
"""

_COUNT = f"{_JUDGED} SELECT reason, COUNT(*) FROM judged GROUP BY reason"
_INSERT = f"""
INSERT INTO {_DELIVERY} (mailing_id, contact_id, address, address_key, twin, key, state, skip_reason, detail, attempts,
                         state_at, reply_status, reply_text, doubt_worker)
{_JUDGED}
SELECT %(mailing)s, contact_id, address, address_key, CASE reason WHEN '' THEN 0 ELSE contact_id END, {{random_key}},
       CASE reason WHEN '' THEN '{Delivery.State.PENDING}' ELSE '{Delivery.State.SKIPPED}' END, reason, '', 0,
       %(now)s, '', '', ''
  FROM judged
"""

# An id that every new row exceeds, and that none of this mailing comes before.
_BEFORE = {
    "sqlite": f"SELECT COALESCE(MAX(id), 0) FROM {_DELIVERY}",
    "postgresql": f"SELECT nextval(pg_get_serial_sequence('{_DELIVERY}', 'id'))",
}
_END = f"(SELECT id FROM {_DELIVERY} WHERE mailing_id + 0 = %(mailing)s AND id > %(before)s ORDER BY id {{}} LIMIT 1)"
_RANGE = f"SELECT {_END.format('ASC')}, {_END.format('DESC')}"

# 64 bits: from SQLite's own generator; on PostgreSQL the contact's id, spread by a hash that begins with random ones,
# since a UUID for each row is an eighth of a freeze (OpenSSL's generator). A Message-ID (RFC 5322 §3.6.4) must be
# unique and tell nobody how many there are; it proves nothing, and no row is looked up by it.
_RANDOM_KEY = {
    "sqlite": "lower(hex(randomblob(8)))",
    "postgresql": "encode(int8send(hashint8extended(contact_id, %(seed)s)), 'hex')",
}
# PostgreSQL sorts by bytes sooner than by the rules of a language (7 % of a freeze), and only who is alike matters.
_ADDRESS_KEY = {"sqlite": "address_key", "postgresql": 'address_key COLLATE "C"'}
