# ruff: noqa: S608 - put together from names of tables and constants of this code; every value is a parameter
"""How many people an audience reaches on dashboards, and the fixing of an audience: one statement each, same SQL."""

from __future__ import annotations

from django.db import connection

from envoi.audiences.models import Audience
from envoi.notices.models import Notice
from envoi.notices.queries.sql import EVERYBODY, RECIPIENT

_COUNT = f"WITH {EVERYBODY} SELECT COUNT(DISTINCT address_key) FROM meant"
_INSERT = f"""
INSERT INTO {RECIPIENT} (notice_id, contact_id)
WITH {EVERYBODY} SELECT %(notice)s, contact_id FROM meant WHERE true ON CONFLICT DO NOTHING"""


def reach(audience: Audience) -> int:
    """How many people would see a notice for `audience` at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"audience": audience.pk})
        return int(cursor.fetchone()[0])


def write_recipients(notice: Notice) -> int:
    """Write down everybody who is meant at this moment; how many contacts came."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"audience": notice.audience_id, "notice": notice.pk})
        return int(cursor.rowcount)
