"""What keeps a transport, or a sender identity, from sending at a moment; until when; and how to say it to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from envoi.core import wording
from envoi.delivery.limits import warm_up, windows
from envoi.delivery.limits.rates import AHEAD
from envoi.delivery.models import Pace, SenderIdentity, Transport
from envoi.delivery.queries import pace as paces
from envoi.delivery.queries.warm_up import left_of_day
from envoi.instance import queries as settings
from envoi.instance.schema import TIME_ZONE

# A turn rather waits for a slot than ends, if it comes so soon.
PATIENCE = timedelta(seconds=5)
# Shorter waits for a slot are just the rate; nobody needs to be told.
WORTH_TELLING = timedelta(minutes=1)


class Kind(StrEnum):
    PAUSED = "paused"
    HOURS = "hours"
    RUN = "run"
    WARM_UP = "warm_up"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why nothing leaves.

    Attributes:
        until: when that may be over; None when only a person or cron ends it.
        text: for people; "" when it is not worth telling.
    """

    kind: Kind
    until: datetime | None
    text: str


def zone() -> ZoneInfo:
    """The installation's. One statement."""
    return ZoneInfo(settings.get(TIME_ZONE))


def hours_of(transport: Transport, where: ZoneInfo | None = None) -> windows.Hours | None:
    """The hours of a transport; None when it sends at any time. `where` is `zone()`, from whoever has it already."""
    days = frozenset(int(day) for day in transport.open_days if day.isdigit())
    if transport.open_from is None and days >= windows.EVERY_DAY:
        return None
    return windows.Hours(transport.open_from, transport.open_until, days, where or zone())


def plan_of(identity: SenderIdentity) -> warm_up.Plan | None:
    """The warm-up of a sender identity, also one that is over."""
    if identity.warm_up_from is None:
        return None
    return warm_up.Plan(identity.warm_up_from, identity.warm_up_first, identity.warm_up_growth, identity.warm_up_until)


def of_transport(
    transport: Transport,
    pace: Pace | None,
    now: datetime,
    *,
    personal: bool = False,
    worked: bool = False,
    where: ZoneInfo | None = None,
) -> Hindrance | None:
    """What hinders `transport`; None when it may send now.

    Args:
        pace: its row, None when it never needed one.
        personal: mail that somebody waits for keeps rates only, no hours and no portions.
        worked: somebody else uses up its rate just now.
        where: `zone()`, from whoever asks about many transports.
    """
    if transport.paused_at:
        return Hindrance(Kind.PAUSED, transport.resume_at, wording.said(transport.paused_reason))
    if not personal:
        found = of_hours(transport, now, where) or of_run(transport, pace, now, where)
        if found is not None:
            return found
    return _of_rate(transport, pace, now, personal=personal, worked=worked, where=where)


def of_hours(transport: Transport, now: datetime, where: ZoneInfo | None = None) -> Hindrance | None:
    """Whether the transport is outside its hours."""
    hours = hours_of(transport, where)
    if hours is None:
        return None
    opens = windows.opens_at(hours, now)
    if opens == now:
        return None
    if opens is None:
        return Hindrance(Kind.HOURS, None, _("“%(transport)s” has no day on which it sends.") % _named(transport))
    text = _("Outside the hours of “%(transport)s”; sending goes on at %(moment)s.")
    return Hindrance(Kind.HOURS, opens, text % {**_named(transport), "moment": said(opens, hours.zone)})


def of_run(transport: Transport, pace: Pace | None, now: datetime, where: ZoneInfo | None = None) -> Hindrance | None:
    """Whether the transport waits for its next run."""
    if not paces.in_portions(transport) or paces.left_of_run(transport, pace, now):
        return None
    return before_run(transport, paces.run_due_at(transport, pace, now), where)


def before_run(transport: Transport, due: datetime | None, where: ZoneInfo | None = None) -> Hindrance:
    """That a transport waits for the run that is due then; None when only cron or a person begins it."""
    if due is None:
        text = _("“%(transport)s” sends in portions; the next one is begun by “envoi send-due”.") % _named(transport)
        return Hindrance(Kind.RUN, None, text)
    text = _("“%(transport)s” sends in portions; the next one leaves at %(moment)s.")
    return Hindrance(Kind.RUN, due, text % {**_named(transport), "moment": said(due, where or zone())})


def of_warm_up(identity: SenderIdentity, now: datetime) -> Hindrance | None:
    """Whether the identity has sent all that its warm-up allows today."""
    plan = plan_of(identity)
    if plan is None:
        return None
    where = zone()
    today = now.astimezone(where).date()
    allowed = warm_up.allowed(plan, today)
    if allowed is None or left_of_day(identity, today, allowed):
        return None
    goes_on = tomorrow(today, where)
    text = ngettext(
        "The warm-up of %(sender)s allows %(number)d message today; sending goes on at %(moment)s.",
        "The warm-up of %(sender)s allows %(number)d messages today; sending goes on at %(moment)s.",
        allowed,
    )
    words = {"sender": identity.from_address, "number": allowed, "moment": said(goes_on, where)}
    return Hindrance(Kind.WARM_UP, goes_on, text % words)


def tomorrow(today: date, where: ZoneInfo) -> datetime:
    """When the day after `today` begins."""
    return datetime.combine(today + timedelta(days=1), time(), where)


def said(moment: datetime, where: tzinfo) -> str:
    """A moment as people read it, in the installation's time zone."""
    return date_format(moment.astimezone(where), "SHORT_DATETIME_FORMAT")


def _of_rate(
    transport: Transport, pace: Pace | None, now: datetime, *, personal: bool, worked: bool, where: ZoneInfo | None
) -> Hindrance | None:
    if pace is None or not paces.interval(transport):
        return None
    next_at = (pace.personal_at or now) if personal else pace.next_at
    if next_at <= now + (AHEAD if worked and not personal else PATIENCE):
        return None
    text = ""
    if next_at > now + WORTH_TELLING:
        text = _("“%(transport)s” is at its limit; the next message leaves at %(moment)s.") % {
            **_named(transport),
            "moment": said(next_at, where or zone()),
        }
    return Hindrance(Kind.RATE, next_at - AHEAD, text)


def _named(transport: Transport) -> dict[str, str]:
    return {"transport": transport.name}
