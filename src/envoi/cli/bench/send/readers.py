# ruff: noqa: S608 - put together from names of tables; every value is a parameter
"""The people of `bench send`: names in several scripts, one list with all of them on it, and a sender of their own."""

from __future__ import annotations

from django.db import connection

from envoi.audiences.actions import lists
from envoi.audiences.models import List, Subscription
from envoi.contacts.models import Contact, Kind
from envoi.core import clock, text
from envoi.delivery.actions import setup
from envoi.delivery.models import SenderIdentity, Transport
from envoi.instance.actions import change

# First name, last name, organisation, city, country, language.
NAMES = (
    ("Ada", "Lovelace", "Analytical Engines", "London", "GB", "en"),
    ("Chloé", "Lefèvre", "Boulangerie du Marché", "Besançon", "FR", "fr"),
    ("Åsa", "Sjöström", "Skärgårdens Båtvarv AB", "Malmö", "SE", "sv"),
    ("Дмитрий", "Ковалёв", "ООО «Северный ветер»", "Екатеринбург", "RU", "ru"),
    ("Ελένη", "Παπαδοπούλου", "Βιβλιοπωλείο Αθηνά", "Θεσσαλονίκη", "GR", "el"),
    ("美咲", "佐藤", "株式会社さくら", "京都市", "JP", "ja"),
    ("伟", "王", "长江贸易有限公司", "武汉", "CN", "zh"),
    ("ليلى", "الحداد", "مكتبة النيل", "الإسكندرية", "EG", "ar"),
    ("नीलम", "शर्मा", "गंगा पुस्तक भंडार", "वाराणसी", "IN", "hi"),
    ("Jürgen", "Weiß", "Größe & Söhne GmbH", "Köln", "DE", "de"),
)
CONTACT, SUBSCRIPTION = Contact._meta.db_table, Subscription._meta.db_table
DOMAIN = "bench.example"


def invent(number: int) -> List:
    """So many people, all of them on the list."""
    everybody = lists.create("Everybody", actor=None)
    now = connection.ops.adapt_datetimefield_value(clock.now())
    names = [(place, *name, text.folded(" ".join(name))) for place, name in enumerate(NAMES)]
    rows = ", ".join("(" + ", ".join(["%s"] * len(names[0])) + ")" for _ in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {CONTACT} (kind, address, address_key, first_name, last_name, organisation, phone, city,
                                   country, language, reference, fields, search_text, created_at, updated_at)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s),
                 names(place, first, last, organisation, city, country, language, folded) AS (VALUES {rows})
            SELECT %s, 'reader' || i || '@{DOMAIN}', 'reader' || i || '@{DOMAIN}', first, last, organisation,
                   '+44 20 7946 ' || i, city, country, language, 'C-' || i, '{{}}', folded, %s, %s
              FROM n JOIN names ON names.place = n.i %% {len(NAMES)}
            """,
            [number, *(value for name in names for value in name), Kind.CONTACT.value, now, now],
        )
        cursor.execute(
            f"INSERT INTO {SUBSCRIPTION} (contact_id, list_id, status, created_at, changed_at) "
            f"SELECT id, %s, %s, %s, %s FROM {CONTACT} ORDER BY id",
            [everybody.pk, Subscription.Status.CONFIRMED.value, now, now],
        )
        if connection.vendor == "postgresql":
            # As its autovacuum does by itself a minute after so many rows came.
            cursor.execute("ANALYZE")
    return everybody


def sender(port: int, connections: int) -> SenderIdentity:
    """The organisation, and its relay: what listens on `port` of this machine."""
    change({"organisation_name": "Bench", "postal_address": "1 High Street, London"}, actor=None)
    identity = setup.ensure_defaults()
    Transport.objects.filter(pk=identity.transport_id).update(
        kind=Transport.Kind.SMTP,
        host="127.0.0.1",
        port=port,
        security=Transport.Security.NONE,
        max_connections=connections,
    )
    identity.refresh_from_db()
    return identity
