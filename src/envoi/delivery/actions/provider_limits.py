"""Set what may go to single receiving providers over a transport, and end a slow-down before its time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core.events import announce
from envoi.delivery.actions.problems import MOST, MOST_SMALL, Problems, SendingRefused
from envoi.delivery.events import SendingChanged
from envoi.delivery.limits.providers import WELL_KNOWN
from envoi.delivery.models import ProviderLimit, Transport
from envoi.delivery.queries import provider_paces

_NAME = re.compile(r"[^\s@/:]+\.[^\s@/:.]+")
MOST_LIMITS = 200


@dataclass(frozen=True, slots=True)
class LimitValues:
    """A limit towards one provider.

    Attributes:
        provider: as `limits.providers` names it, such as "google.com", or any domain of it that is well known;
            "" for every provider without a limit of its own.
        per_minute, at_once: None for no limit; one of them has to be there.
    """

    provider: str
    per_minute: int | None = None
    at_once: int | None = None


def set_limits(transport: Transport, wanted: Sequence[LimitValues], *, actor: User | None) -> None:
    """Let exactly these limits hold on `transport`; workers follow within seconds.

    Raises:
        SendingRefused: something does not fit (the field is "provider_limits"); nothing is changed.
    """
    limits = [LimitValues(named(one.provider), one.per_minute, one.at_once) for one in wanted]
    problems = problems_of(limits)
    if problems:
        raise SendingRefused(problems)
    with transaction.atomic():
        current = Transport.objects.select_for_update().get(pk=transport.pk)
        ProviderLimit.objects.filter(transport=current).delete()
        ProviderLimit.objects.bulk_create(
            ProviderLimit(transport=current, provider=one.provider, per_minute=one.per_minute, at_once=one.at_once)
            for one in limits
        )
        if limits and not current.minds_providers:
            current.minds_providers = True
            current.save(update_fields=["minds_providers"])
        # The flag is taken away by the watchdog, which also knows of slow-downs.
        told = {one.provider or "*": [one.per_minute, one.at_once] for one in limits}
        audit.record(actor, "limit_providers", current, limits=told)
        announce(SendingChanged(current.pk))


def end_slowdown(transport: Transport, provider: str, *, actor: User | None) -> bool:
    """Let mail to `provider` go at full speed again. False when it is not slowed down."""
    with transaction.atomic():
        if not provider_paces.forget_slowdown(transport, provider):
            return False
        audit.record(actor, "end_slowdown", transport, provider=provider)
        announce(SendingChanged(transport.pk))
    return True


def named(text: str) -> str:
    """The name of the provider that somebody means: gmail.com is google.com."""
    name = text.strip().lower().lstrip("@").rstrip(".")
    return WELL_KNOWN.get(name, name)


def problems_of(limits: Sequence[LimitValues]) -> Problems:
    """Why these limits cannot be kept."""
    names = [one.provider for one in limits]
    text = ""
    if len(set(names)) < len(names):
        text = _("Name each provider once; domains of one provider count together.")
    elif len(limits) > MOST_LIMITS:
        text = _("Set at most %(most)d limits.") % {"most": MOST_LIMITS}
    for one in limits:
        text = text or _problem_of(one)
    return {"provider_limits": text} if text else {}


def _problem_of(limit: LimitValues) -> str:
    name = limit.provider or _("all others")
    if limit.provider and not (_NAME.fullmatch(limit.provider) and len(limit.provider) <= 253):
        return _("“%(name)s” is no domain; enter one such as gmail.com.") % {"name": name}
    if limit.per_minute is None and limit.at_once is None:
        return _("Enter messages per minute or messages at once for %(name)s.") % {"name": name}
    if not 1 <= (limit.per_minute or 1) <= MOST or limit.per_minute == 0:
        return _("Enter 1 or more messages per minute for %(name)s.") % {"name": name}
    if not 1 <= (limit.at_once or 1) <= MOST_SMALL or limit.at_once == 0:
        return _("Enter 1 or more messages at once for %(name)s.") % {"name": name}
    return ""
