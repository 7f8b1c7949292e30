"""Write a broadcast: made, changed, copied and thrown away, as long as it has not started."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.actions.audiences import copy as copy_audience
from envoi.audiences.actions.audiences import save_audience
from envoi.audiences.models import Audience, AudienceMember
from envoi.audiences.queries import Targets, targets_of
from envoi.broadcasts import channels, noticing
from envoi.broadcasts.errors import BroadcastError
from envoi.broadcasts.models import Broadcast, NoticePlan
from envoi.content.models import Layout
from envoi.core import clock
from envoi.delivery.models import Purpose, SenderIdentity

# Its dates are those of the first time.
PLAN_COPIED = (
    "level", "dismissible", "must_acknowledge", "link_label", "link_url", "fixed", "email", "email_after_hours",
)  # fmt: skip


class Content(TypedDict, total=False):
    """The fields of a broadcast that say what it says; those left out stay as they are."""

    subject: str
    preheader: str
    body_type: str
    body: str
    text_body: str
    layout: Layout | None
    identity: SenderIdentity | None
    purpose: str
    priority: int
    track_opens: bool
    track_clicks: bool


class NotADraft(BroadcastError):
    """The broadcast has started; what it says and whom it goes to stay as they are."""


def create(channel: str, *, actor: User | None, **content: Unpack[Content]) -> Broadcast:
    """A new draft with an empty audience, the default layout and the default sender.

    Raises:
        UnknownChannel: `channel` is not registered.
    """
    channels.get(channel)
    if channel == channels.NOTICE.name:
        content.setdefault("purpose", Purpose.INFORMATIONAL)
    content.setdefault("layout", Layout.objects.filter(is_default=True).first())
    content.setdefault("identity", SenderIdentity.objects.filter(is_default=True).first())
    with transaction.atomic():
        broadcast = Broadcast.objects.create(
            channel=channel, audience=Audience.objects.create(), created_by=actor, **content
        )
        if noticing.is_notice(broadcast):
            NoticePlan.objects.create(broadcast=broadcast)
        audit.record(actor, "broadcast_create", broadcast)
    return broadcast


def change_content(broadcast: Broadcast, *, actor: User | None, **content: Unpack[Content]) -> Broadcast:
    """Write other content into a draft.

    Raises:
        NotADraft: it has started meanwhile.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        changed = [name for name, value in content.items() if getattr(draft, name) != value]
        if changed:
            for name in changed:
                setattr(draft, name, content[name])  # type: ignore[literal-required]
            draft.changed_at = clock.now()
            draft.save(update_fields=[*changed, "changed_at"])
            audit.record(actor, "broadcast_change", draft, fields=changed)
    return draft


def change_targets(broadcast: Broadcast, included: Targets, excluded: Targets, *, actor: User | None) -> Broadcast:
    """Choose whom a draft goes to.

    Raises:
        NotADraft: it has started meanwhile.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        stands = targets_of(draft.audience), targets_of(draft.audience, AudienceMember.Side.EXCLUDE)
        if stands != (included, excluded):
            save_audience(draft.audience, include=included, exclude=excluded, actor=actor)
            draft.changed_at = clock.now()
            draft.save(update_fields=["changed_at"])
            audit.record(actor, "broadcast_target", draft)
    return draft


def duplicate(broadcast: Broadcast, *, actor: User | None) -> Broadcast:
    """A new draft with the content and the audience of `broadcast`, whatever became of that one."""
    with transaction.atomic():
        copy = Broadcast.objects.create(
            channel=broadcast.channel,
            subject=broadcast.subject,
            preheader=broadcast.preheader,
            body_type=broadcast.body_type,
            body=broadcast.body,
            text_body=broadcast.text_body,
            layout=broadcast.layout,
            identity=broadcast.identity,
            purpose=broadcast.purpose,
            priority=broadcast.priority,
            track_opens=broadcast.track_opens,
            track_clicks=broadcast.track_clicks,
            audience=copy_audience(broadcast.audience, actor=actor),
            created_by=actor,
        )
        if noticing.is_notice(broadcast):
            stands = broadcast.plan
            kept = {name: getattr(stands, name) for name in PLAN_COPIED}
            NoticePlan.objects.create(broadcast=copy, **kept)
        audit.record(actor, "broadcast_copy", copy, of=broadcast.pk)
    return copy


def delete(broadcast: Broadcast, *, actor: User | None) -> None:
    """Throw a draft away.

    Raises:
        NotADraft: it has started; its record stays.
    """
    with transaction.atomic():
        draft = locked_draft(broadcast)
        audit.record(actor, "broadcast_delete", draft)
        audience = draft.audience
        draft.delete()
        audience.delete()


def locked_draft(broadcast: Broadcast) -> Broadcast:
    """The row of `broadcast`, locked until the transaction ends.

    Raises:
        NotADraft: it is not, or no longer, a draft.
    """
    row = Broadcast.objects.select_for_update(of=("self",)).filter(pk=broadcast.pk).first()
    if row is None or not row.is_draft:
        raise NotADraft(_("This broadcast is no draft any more. Duplicate it to send something like it again."))
    return row
