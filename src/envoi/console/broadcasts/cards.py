"""The numbers of a broadcast as its page shows them, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from envoi.broadcasts.models import Broadcast
from envoi.delivery.queries import Progress
from envoi.reports.queries import Readers


@dataclass(frozen=True, slots=True)
class Card:
    """One number.

    Attributes:
        note: what it means or leaves out.
        url: the log, narrowed down to those it counts.
    """

    label: str
    icon: str
    number: int
    note: str
    url: str


def cards(broadcast: Broadcast, progress: Progress, readers: Readers) -> list[Card]:
    """The six numbers, and further ones for messages that came back and for unknown outcomes, when there are any."""
    log = reverse("broadcasts:log", kwargs={"pk": broadcast.pk})
    skipped = sum(progress.skipped.values())
    reasons = ", ".join(
        _("%(reason)s: %(number)s") % {"reason": reason.label, "number": number_format(number, use_l10n=True)}
        for reason, number in progress.skipped.items()
    )
    found = [
        Card(_("Sent"), "mail-check", progress.sent, _("Accepted by the receiving server."), f"{log}?state=sent"),
        Card(
            _("Opened"),
            "mail-opened",
            readers.opened,
            _share(readers.opened, progress.sent) + _machines(readers.opened_by_machines),
            f"{log}?activity=opened",
        ),
        Card(
            _("Clicked"),
            "mouse",
            readers.clicked,
            _share(readers.clicked, progress.sent) + _machines(readers.clicked_by_machines),
            f"{log}?activity=clicked",
        ),
        Card(
            _("Unsubscribed"),
            "user-minus",
            readers.unsubscribed,
            _share(readers.unsubscribed, progress.sent),
            f"{log}?activity=unsubscribed",
        ),
        Card(_("Failed"), "mail-x", progress.failed, _("Refused by the receiving server."), f"{log}?state=failed"),
        Card(_("Skipped"), "user-off", skipped, reasons or _("Nobody."), f"{log}?state=skipped"),
    ]
    return found + _doubtful(progress, log)


def _doubtful(progress: Progress, log: str) -> list[Card]:
    """What was accepted, or may have been, and did not arrive for sure; nothing where all is well."""
    found = []
    if progress.bounced:
        accepted = progress.sent + progress.bounced
        note = _share(progress.bounced, accepted, _("%(percent)s%% of those accepted came back."))
        found.append(Card(_("Bounced"), "arrow-back-up", progress.bounced, note, f"{log}?state=bounced"))
    if progress.unknown:
        note = _("Handed over, but no answer came. They may have it.")
        found.append(Card(_("Outcome unknown"), "help-circle", progress.unknown, note, f"{log}?state=unknown"))
    return found


def _share(number: int, of: int, text: str = "") -> str:
    if not of:
        return ""
    text = text or _("%(percent)s%% of those sent.")
    return text % {"percent": number_format(100 * number / of, 1, use_l10n=True)}


def _machines(number: int) -> str:
    if not number:
        return ""
    said = ngettext("Besides, %(number)s by a machine only.", "Besides, %(number)s by machines only.", number)
    return " " + said % {"number": number_format(number, use_l10n=True)}
