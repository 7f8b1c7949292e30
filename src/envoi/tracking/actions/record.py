"""Note that a message's pixel or link was requested, without a database."""

from __future__ import annotations

import logging
import secrets

from envoi.core import clock
from envoi.tracking import automated, spool
from envoi.tracking.links import Click
from envoi.tracking.models import Activity
from envoi.tracking.spool import Hit

logger = logging.getLogger("envoi.tracking")


def record_open(delivery_id: int, *, method: str, user_agent: str, address: str) -> None:
    """Note an open. `address` is the requester's IP address; only its network is kept."""
    _append(Activity.Type.OPEN, delivery_id, None, method, user_agent, address)


def record_click(click: Click, *, method: str, user_agent: str, address: str) -> None:
    """Note a click."""
    _append(Activity.Type.CLICK, click.delivery_id, click.link_id, method, user_agent, address)


def _append(type_: str, delivery_id: int, link_id: int | None, method: str, user_agent: str, address: str) -> None:
    """The reader is answered whether or not the hit can be written: a full disk here is no fault of theirs."""
    hit = Hit(
        uid=secrets.token_hex(16),
        type=type_,
        delivery_id=delivery_id,
        link_id=link_id,
        at=clock.now(),
        method=method,
        # PostgreSQL holds no NUL.
        user_agent=user_agent.replace("\0", "")[: spool.LONGEST_AGENT],
        ip=automated.network(address),
    )
    try:
        spool.append(hit)
    except OSError as error:
        logger.error("an open or click is lost: %s cannot be written (%s)", spool.folder(), error.strerror)
