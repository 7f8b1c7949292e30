"""Who can tell that a message has arrived although its server never said so: layers above, such as tracking.

Each registers a source from its `apps.ready()`. A source is asked again and again while a doubt is open, so that it
does not matter what came first, the sign or the doubt.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from envoi.delivery.models import Delivery

# Narrows doubtful rows down to those that have arrived for sure; one statement, whatever their number.
Source = Callable[[QuerySet[Delivery]], QuerySet[Delivery]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Ask `source` from now on; registering it twice counts once."""
    if source not in _sources:
        _sources.append(source)


def arrived(doubtful: QuerySet[Delivery], most: int) -> list[int]:
    """The ids of up to `most` of these rows that some source knows to have arrived."""
    for source in _sources:
        # In the order of the index of open doubts: asked for that of the ids, SQLite reads the whole ledger.
        if found := list(source(doubtful).order_by("retry_at").values_list("pk", flat=True)[:most]):
            return found
    return []
