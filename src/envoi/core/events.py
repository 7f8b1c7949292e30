"""Facts that one domain announces and others listen to.

Guarantee: listeners run at once, in the announcing transaction, in the order of registration. They may only write rows
or enqueue tasks, so that a fact and its consequences are committed or rolled back together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

Event = TypeVar("Event")

_listeners: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)


class AnnouncedOutsideTransaction(RuntimeError):
    """An event was announced where its change could commit without its consequences."""


def on(event: type[Event], listener: Callable[[Event], None]) -> None:
    """Call `listener` with each `event` from now on; registering the same listener twice counts once."""
    if listener not in _listeners[event]:
        _listeners[event].append(listener)


def announce(event: object) -> None:
    """Tell every listener of the event's own type.

    Raises:
        AnnouncedOutsideTransaction: no transaction is open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise AnnouncedOutsideTransaction(f"{type(event).__name__} was announced outside a transaction")
    for listener in _listeners[type(event)]:
        listener(event)
