"""Limits in words, and what is known of the senders' domains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from envoi.console.settings.sending.transport_forms import DAYS
from envoi.core import addresses, clock
from envoi.delivery.limits import hindrances, warm_up
from envoi.delivery.models import DkimKey, SenderIdentity, Transport

PREVIEWED_DAYS = 60


def limits_of(transport: Transport) -> list[str]:
    """What limits `transport`, each a short phrase; none for one that sends as fast as it can."""
    found = []
    if transport.per_second:
        found.append(_("%(number)s a second") % {"number": _number(transport.per_second)})
    if transport.per_hour:
        found.append(_("%(number)s an hour") % {"number": _number(transport.per_hour)})
    if transport.open_from and transport.open_until:
        hours = {"from": time_format(transport.open_from), "until": time_format(transport.open_until)}
        found.append(_("%(from)s to %(until)s") % hours)
    if len(transport.open_days) < len(DAYS):
        found.append(", ".join(str(label) for value, label in DAYS if value in transport.open_days))
    if portions := portions_of(transport):
        found.append(portions)
    return found


def portions_of(transport: Transport) -> str:
    """In which portions messages leave; "" when they leave as soon as possible."""
    if transport.release != Transport.Release.QUEUED or not transport.portion:
        return ""
    number = {"number": _number(transport.portion)}
    if not transport.portion_minutes:
        return _("%(number)s at each run of “envoi send-due”") % number
    every = ngettext("%(number)s every minute", "%(number)s every %(minutes)s minutes", transport.portion_minutes)
    return every % {**number, "minutes": _number(transport.portion_minutes)}


def today() -> date:
    """The day that it is where the installation stands. One statement."""
    return clock.now().astimezone(hindrances.zone()).date()


def warming_of(identity: SenderIdentity, day: date) -> str:
    """What the warm-up of `identity` allows on `day`; "" when it has none or it is over."""
    plan = hindrances.plan_of(identity)
    number = warm_up.allowed(plan, day) if plan else None
    if number is None:
        return ""
    return _("Warm-up: at most %(number)s messages today; the rest waits for the next days.") % {
        "number": _number(number)
    }


def warm_up_days(plan: warm_up.Plan) -> list[tuple[str, str]]:
    """The days of a warm-up with the number each allows."""
    numbers = warm_up.days(plan, PREVIEWED_DAYS)
    days = (plan.begins.fromordinal(plan.begins.toordinal() + passed) for passed in range(len(numbers)))
    return [(date_format(day, "SHORT_DATE_FORMAT"), _number(number)) for day, number in zip(days, numbers, strict=True)]


def domain_of(identity: SenderIdentity) -> str:
    """The domain that signs for `identity`, as DKIM keys name it."""
    try:
        return addresses.parse(identity.from_address).domain
    except addresses.AddressError:
        return ""


def keys_by_domain(identities: Iterable[SenderIdentity]) -> dict[str, list[DkimKey]]:
    """The keys of the domains of `identities`, those that sign first."""
    found: dict[str, list[DkimKey]] = {domain_of(one): [] for one in identities}
    for key in DkimKey.objects.filter(domain__in=found).order_by("-is_active", "selector"):
        found[key.domain].append(key)
    return found


def _number(value: int) -> str:
    return str(number_format(value, use_l10n=True, force_grouping=True))
