"""Make, turn on, turn off and remove the keys with which messages are signed (DKIM).

Guarantees: the private key is stored encrypted, and nothing shows, logs or returns it; a key signs only after DNS was
seen to hold its record, or a person said that they know it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import addresses, secrets
from envoi.core.events import announce
from envoi.delivery.dkim import keypairs, records
from envoi.delivery.dkim.signers import sealed_for
from envoi.delivery.events import SigningChanged
from envoi.delivery.models import DkimKey

_SELECTOR = re.compile(r"(?!-)[a-z0-9-]+(?<!-)(\.(?!-)[a-z0-9-]+(?<!-))*")


class KeyRefused(ValueError):
    """No key can be made of this; `problems` names each field with what is wrong and what would do."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems.items()))
        self.problems = dict(problems)


class RecordUnconfirmed(Exception):
    """DNS was not seen to hold the record of the key, so receivers could not verify; `finding` says what it holds."""

    def __init__(self, finding: records.Finding) -> None:
        super().__init__(finding.explanation)
        self.finding = finding


class KeyInUse(Exception):
    """The key still signs; the message says what to do first."""


def make(domain: str, algorithm: str, *, selector: str = "", actor: User | None) -> DkimKey:
    """A new key pair of `domain` that does not sign yet. Takes up to a second for RSA.

    Args:
        selector: "" takes the first free of envoi1, envoi2, ….

    Raises:
        KeyRefused: domain, algorithm or selector do not fit, or the selector is taken.
    """
    domain, selector = domain.strip().lower().rstrip("."), selector.strip().lower()
    problems = {}
    try:
        domain = addresses.parse(f"postmaster@{domain}").domain
    except addresses.AddressError:
        problems["domain"] = _("Enter the part of your From address after the @, such as example.org.")
    if algorithm not in DkimKey.Algorithm.values:
        problems["algorithm"] = _("Choose RSA or Ed25519.")
    if selector and not (_SELECTOR.fullmatch(selector) and len(selector) <= 63):
        problems["selector"] = _("Use at most 63 letters, digits and hyphens, such as envoi1.")
    elif DkimKey.objects.filter(domain=domain, selector=selector).exists():
        problems["selector"] = _("This selector is taken. Choose another, such as %(free)s.") % {"free": free(domain)}
    if problems:
        raise KeyRefused(problems)
    selector = selector or free(domain)
    private, public = keypairs.make(algorithm)
    with transaction.atomic():
        key = DkimKey.objects.create(
            domain=domain,
            selector=selector,
            algorithm=algorithm,
            private_encrypted=secrets.encrypt(private, sealed_for(domain, selector)),
            public=public,
        )
        audit.record(actor, "create", key, algorithm=algorithm)
        announce(SigningChanged(domain))
    return key


def free(domain: str) -> str:
    """The first of envoi1, envoi2, … under which `domain` has no key here."""
    taken = set(DkimKey.objects.filter(domain=domain).values_list("selector", flat=True))
    return next(name for number in range(1, len(taken) + 2) if (name := f"envoi{number}") not in taken)


def turn_on(
    key: DkimKey, *, anyway: bool = False, resolve: records.Resolve = records.txt, actor: User | None
) -> records.Finding:
    """Sign messages of the key's domain from now on; a shift that is under way takes it up within half a minute.

    Args:
        anyway: whatever DNS holds.

    Raises:
        RecordUnconfirmed: DNS was not seen to hold its record; nothing is changed.
    """
    finding = records.check(key, resolve)
    if not (finding.matches or anyway):
        raise RecordUnconfirmed(finding)
    _set(key, True, actor, dns=finding.answer.value)
    return finding


def turn_off(key: DkimKey, *, actor: User | None) -> None:
    """Sign with it no more. Its DNS record must stay a week: messages on their way are verified with it."""
    _set(key, False, actor)


def remove(key: DkimKey, *, actor: User | None) -> None:
    """Forget the key for good.

    Raises:
        KeyInUse: it signs.
    """
    with transaction.atomic():
        stored = DkimKey.objects.select_for_update().filter(pk=key.pk).first()
        if stored is None:
            return
        if stored.is_active:
            raise KeyInUse(_("Turn the key off first: messages are being signed with it."))
        audit.record(actor, "delete", stored, algorithm=stored.algorithm)
        stored.delete()
        announce(SigningChanged(stored.domain))


def _set(key: DkimKey, active: bool, actor: User | None, **details: object) -> None:
    with transaction.atomic():
        stored = DkimKey.objects.select_for_update().get(pk=key.pk)
        if stored.is_active != active:
            stored.is_active = active
            stored.save(update_fields=["is_active"])
            audit.record(actor, "turn_on" if active else "turn_off", stored, **details)
            announce(SigningChanged(stored.domain))
    key.is_active = active
