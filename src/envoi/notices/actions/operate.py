"""The operator's side: publish a notice, change it, end it, withdraw it, give somebody a dismissed one back."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.models import Audience
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.core.events import announce
from envoi.notices import cleaning
from envoi.notices.actions import bump
from envoi.notices.events import NoticeEnded, NoticePublished
from envoi.notices.models import Level, Notice, Reading
from envoi.notices.queries import write_recipients


class Wording(TypedDict, total=False):
    """The fields of a notice that may be chosen; those left out keep their value or default."""

    subject: str
    body: str
    level: str
    starts_at: datetime
    ends_at: datetime | None
    dismissible: bool
    must_acknowledge: bool
    link_label: str
    link_url: str


class NoticeRefused(ValueError):
    """A notice cannot be so.

    Attributes:
        problems: field and what is wrong with it, for people.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(message for _field, message in problems))
        self.problems = problems


class NoticeOver(ValueError):
    """The notice was withdrawn, or its time is over; nobody sees it any more."""


def publish(audience: Audience, *, fixed: bool = False, actor: User | None, **wording: Unpack[Wording]) -> Notice:
    """Show a notice to `audience` from its first moment (now, if none is given) on.

    Args:
        fixed: only to those who are in the audience at this moment.

    Raises:
        NoticeRefused: something is missing or cannot be.
    """
    notice = _worded(Notice(audience=audience, created_by=actor), wording)
    with transaction.atomic():
        notice.save()
        if fixed:
            _fix(notice)
        audit.record(actor, "notice_publish", notice, level=notice.level, fixed=fixed)
        announce(NoticePublished(notice.pk))
        bump.everybody()
    return notice


def change(notice: Notice, *, actor: User | None, **wording: Unpack[Wording]) -> Notice:
    """Alter what it says or how long it stands; everybody sees the new words at their next look.

    Raises:
        NoticeOver: it was withdrawn.
        NoticeRefused: something is missing or cannot be.
    """
    with transaction.atomic():
        changed = _worded(_locked(notice), wording)
        changed.changed_at = clock.now()
        changed.save()
        audit.record(actor, "notice_change", changed, fields=sorted(wording))
        bump.everybody()
    return changed


def end_now(notice: Notice, *, actor: User | None) -> Notice:
    """Show it no more from this moment on; it stays among everybody's past messages.

    Raises:
        NoticeOver: it was withdrawn or has ended.
    """
    now = clock.now()
    with transaction.atomic():
        ended = _locked(notice)
        if ended.has_ended:
            raise NoticeOver(_("This notice has ended already."))
        ended.ends_at, ended.changed_at = now, now
        ended.starts_at = min(ended.starts_at, now)
        ended.save(update_fields=["starts_at", "ends_at", "changed_at"])
        audit.record(actor, "notice_end", ended)
        announce(NoticeEnded(ended.pk, withdrawn=False))
        bump.everybody()
    return ended


def withdraw(notice: Notice, *, actor: User | None) -> Notice:
    """Take it back: nobody sees it, not even among past messages. Its numbers stay.

    Raises:
        NoticeOver: it was withdrawn before.
    """
    with transaction.atomic():
        taken = _locked(notice)
        taken.withdrawn_at = clock.now()
        taken.save(update_fields=["withdrawn_at"])
        audit.record(actor, "notice_withdraw", taken)
        announce(NoticeEnded(taken.pk, withdrawn=True))
        bump.everybody()
    return taken


def fix_audience(notice: Notice, *, actor: User | None) -> int:
    """Keep it to those who are meant at this moment, whoever comes or goes later; how many contacts.

    Raises:
        NoticeOver: it was withdrawn.
    """
    with transaction.atomic():
        fixed = _locked(notice)
        fixed.recipients.all().delete()
        number = _fix(fixed)
        audit.record(actor, "notice_fix", fixed, contacts=number)
        bump.everybody()
    return number


def undo_dismissal(reading: Reading, *, actor: User | None) -> None:
    """Show it again to the one who dismissed (or acknowledged) it, as long as it stands."""
    with transaction.atomic():
        person = Contact.objects.filter(address_key=reading.contact.address_key)
        changed = Reading.objects.filter(notice=reading.notice_id, contact__in=person.values("pk")).update(
            dismissed_at=None, acknowledged_at=None
        )
        if changed:
            audit.record(actor, "notice_undo_dismissal", reading.notice, contact=reading.contact_id)
            bump.people(person.values_list("pk", flat=True))


def _fix(notice: Notice) -> int:
    notice.fixed_at = clock.now()
    notice.save(update_fields=["fixed_at"])
    return write_recipients(notice)


def _locked(notice: Notice) -> Notice:
    row = Notice.objects.select_for_update().get(pk=notice.pk)
    if row.is_withdrawn:
        raise NoticeOver(_("This notice was withdrawn."))
    return row


def _worded(notice: Notice, wording: Wording) -> Notice:
    for name, value in wording.items():
        setattr(notice, name, value)
    notice.subject = " ".join(notice.subject.split())
    given, notice.body = notice.body, cleaning.clean(notice.body)
    notice.link_label, notice.link_url = notice.link_label.strip(), notice.link_url.strip()
    if notice.must_acknowledge:
        notice.dismissible = False
    problems = wording_problems(notice)
    if given and not notice.body:
        problems.append(("body", _("Write the content.")))
    if problems:
        raise NoticeRefused(problems)
    return notice


def wording_problems(notice: Notice) -> list[tuple[str, str]]:
    """What is missing or cannot be, by field; for people. A subject may stand alone; content must have words."""
    checks = (
        ("subject", not notice.subject, _("Write a subject.")),
        ("subject", len(notice.subject) > 300, _("Shorten the subject to 300 characters.")),
        ("body", bool(notice.body) and not cleaning.has_words(notice.body), _("Write the content.")),
        ("body", len(notice.body) > cleaning.LONGEST, _("Shorten the content to 50,000 characters.")),
        ("level", notice.level not in Level.values, _("Choose info, success, warning or error.")),
        ("ends_at", _ends_first(notice), _("The end lies before the beginning.")),
        ("link_url", bool(notice.link_label) != bool(notice.link_url), _("A button needs a text and an address.")),
        ("link_label", len(notice.link_label) > 80, _("Shorten the text of the button to 80 characters.")),
        ("link_url", len(notice.link_url) > 2000, _("Shorten the address to 2,000 characters.")),
        (
            "link_url",
            bool(notice.link_url) and not cleaning.is_web_address(notice.link_url),
            _("Write the whole address, such as https://example.org/news."),
        ),
    )
    return [(field, message) for field, wrong, message in checks if wrong]


def _ends_first(notice: Notice) -> bool:
    return notice.ends_at is not None and notice.ends_at <= notice.starts_at
