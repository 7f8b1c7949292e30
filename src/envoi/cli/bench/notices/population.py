# ruff: noqa: S608 - put together from names of tables; every value is a parameter
"""Invent an organisation of any size with a few statements: contacts, products, lists, notices, and who did what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from envoi.audiences.actions import lists, products
from envoi.audiences.actions.audiences import save_audience
from envoi.audiences.models import List, Membership, Product, Subscription
from envoi.audiences.queries import Targets
from envoi.contacts.models import Contact, Kind
from envoi.core import clock
from envoi.notices import actions
from envoi.notices.models import Level, Notice, Reading

GROUPS = 20
BODY = "<p>From <strong>22:00</strong> on, your sites may be slow for a few minutes. " + "Thank you. " * 10 + "</p>"
CONTACT, MEMBERSHIP, SUBSCRIPTION, READING, NOTICE = (
    model._meta.db_table for model in (Contact, Membership, Subscription, Reading, Notice)
)


def invent(customers: int, notices: int) -> None:
    """Each customer holds one or two of 20 products and stands on two of 20 lists; each notice is for three of those,
    some with an exclusion or for a single customer besides; each customer saw three and dismissed one of them."""
    _people(customers)
    plans = [products.create(f"Product {number}", actor=None) for number in range(GROUPS)]
    groups = [lists.create(f"List {number}", actor=None) for number in range(GROUPS)]
    _belong(plans, groups)
    first = Contact.objects.order_by("pk").values_list("pk", flat=True)[0]
    for number in range(notices):
        _publish(number, plans, groups, first + number * 7 % customers)
    _read(notices)
    if connection.vendor == "postgresql":
        # As its autovacuum does by itself a minute after so many rows came.
        _execute("ANALYZE", {})


def _people(number: int) -> None:
    _execute(
        f"""
        INSERT INTO {CONTACT} (kind, address, address_key, first_name, last_name, organisation, phone, city, country,
                               language, reference, fields, search_text, created_at, updated_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(number)s)
        SELECT %(kind)s, 'customer' || i || '@bench.example', 'customer' || i || '@bench.example', 'Ada',
               'Customer ' || i, '', '', '', '', 'en', 'C-' || i, '{{}}', 'customer' || i || '@bench.example',
               %(now)s, %(now)s
          FROM n
        """,
        {"number": number, "kind": Kind.CONTACT.value},
    )


def _belong(plans: list[Product], groups: list[List]) -> None:
    plan, group = plans[0].pk, groups[0].pk
    for step in (1, 7):
        _execute(
            f"""
            INSERT INTO {MEMBERSHIP} (contact_id, product_id, status, started_at)
            SELECT id, %(first)s + (id * %(step)s) %% {GROUPS}, %(status)s, %(now)s FROM {CONTACT}
             WHERE %(step)s = 1 OR id %% 2 = 0
            ON CONFLICT DO NOTHING
            """,
            {"first": plan, "step": step, "status": Membership.Status.ACTIVE.value},
        )
        _execute(
            f"""
            INSERT INTO {SUBSCRIPTION} (contact_id, list_id, status, created_at, changed_at)
            SELECT id, %(first)s + (id / {GROUPS} * %(step)s) %% {GROUPS}, %(status)s, %(now)s, %(now)s FROM {CONTACT}
             WHERE true
            ON CONFLICT DO NOTHING
            """,
            {"first": group, "step": step, "status": Subscription.Status.CONFIRMED.value},
        )


def _publish(number: int, plans: list[Product], groups: list[List], contact: int) -> None:
    include = Targets(
        lists=(groups[number % GROUPS].pk,),
        products=(plans[number * 3 % GROUPS].pk, plans[(number * 3 + 1) % GROUPS].pk),
        contacts=(contact,) if number % 5 == 0 else (),
    )
    exclude = Targets(lists=(groups[(number + 10) % GROUPS].pk,)) if number % 4 == 0 else Targets()
    actions.publish(
        save_audience(None, include=include, exclude=exclude, actor=None),
        actor=None,
        subject=f"Notice {number}",
        body=BODY,
        level=Level.values[number % len(Level.values)],
        starts_at=clock.now() - timedelta(hours=1),
        ends_at=clock.now() + timedelta(days=7),
    )


def _read(notices: int) -> None:
    keys = list(Notice.objects.order_by("pk").values_list("pk", flat=True))
    for place in range(min(3, notices)):
        _execute(
            f"""
            INSERT INTO {READING} (notice_id, contact_id, first_seen_at, last_seen_at, dismissed_at, clicks)
            SELECT %(first)s + (id + %(place)s) %% %(notices)s, id, %(now)s, %(now)s,
                   CASE WHEN %(place)s = 0 THEN %(now)s ELSE NULL END, 0
              FROM {CONTACT} WHERE true
            ON CONFLICT DO NOTHING
            """,
            {"first": keys[0], "place": place, "notices": notices},
        )


def _execute(statement: str, parameters: dict[str, Any]) -> None:
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{{}}", "{}"), {"now": now, **parameters} if parameters else None)
