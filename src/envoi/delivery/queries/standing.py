# ruff: noqa: S608 - put together from names of tables and columns of this code; every value is a parameter
"""Whether anything a sender goes by has changed since it looked: the mailing, its sender identity, its transports.

Asked by each sender every second, so it is one plain statement. To make models of the three tables cost Django six
times as much, and mostly nothing has changed.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from envoi.core.prepared import preparing_cursor
from envoi.delivery.models import Mailing, SenderIdentity, Transport

# What sending itself moves on.
MOVING = {"turn_at", "leased_to"}

Seen = tuple[Any, ...]


def _columns(alias: str, model: type[models.Model]) -> str:
    return ", ".join(f"{alias}.{one.column}" for one in model._meta.concrete_fields if one.column not in MOVING)


_MAILING, _IDENTITY, _TRANSPORT = (model._meta.db_table for model in (Mailing, SenderIdentity, Transport))
_SEEN = f"""
SELECT {_columns("m", Mailing)}, {_columns("i", SenderIdentity)}, {_columns("o", Transport)}, {_columns("t", Transport)}
  FROM {_MAILING} m JOIN {_IDENTITY} i ON i.id = m.identity_id JOIN {_TRANSPORT} o ON o.id = i.transport_id
  JOIN {_TRANSPORT} t ON t.id = %s
 WHERE m.id = %s
"""


class Standing:
    """Of one mailing over one transport, for as long as a shift lasts."""

    def __init__(self, mailing: Mailing, transport: Transport) -> None:
        self._mailing, self._transport = mailing, transport
        self._seen: Seen | None = None

    def look(self) -> Mailing:
        """The mailing as it is now, with its sender identity; the transport is brought up to date where it stands.

        Raises:
            ObjectDoesNotExist: one of them is gone.
        """
        # Before the models are read: what changes in between is seen next time.
        seen = self._read()
        if seen is None or seen != self._seen:
            self._mailing = Mailing.objects.select_related("identity__transport").get(pk=self._mailing.pk)
            self._transport.refresh_from_db()
            self._seen = seen
        return self._mailing

    def _read(self) -> Seen | None:
        with preparing_cursor() as cursor:
            cursor.execute(_SEEN, [self._transport.pk, self._mailing.pk])
            found: Seen | None = cursor.fetchone()
        return found
