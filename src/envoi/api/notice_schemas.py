"""What programs send about notices, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils.html import linebreaks
from ninja import Schema
from pydantic import Field, StrictBool

from envoi.api.schemas import WITHOUT_NUL, Moment, NameOrNumber, Told, Wanted
from envoi.audiences.models import Audience
from envoi.audiences.queries import target_labels, targets_of
from envoi.core import clock
from envoi.notices.models import Notice
from envoi.notices.queries.states import state_of

Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="`id` of the notice.")]
State = Literal["scheduled", "shown", "ended", "withdrawn"]
LevelName = Literal["info", "success", "warning", "error"]
Subject = Annotated[str, Field(max_length=300), WITHOUT_NUL]
Html = Annotated[str, Field(max_length=50_000, description="HTML; what is not harmless is taken out."), WITHOUT_NUL]
Plain = Annotated[str, Field(max_length=50_000, description="Plain text, instead of `body`."), WITHOUT_NUL]
Names = Annotated[list[NameOrNumber], Field(max_length=1000)]


class Button(Wanted):
    """A button under the content."""

    label: Annotated[str, Field(max_length=80), WITHOUT_NUL]
    url: Annotated[str, Field(max_length=2000), WITHOUT_NUL]


class TargetNames(Wanted):
    """Whom it is for: everybody whom one of these names."""

    products: Names = Field([], description="Names or numbers of products.")
    lists: Names = Field([], description="Names or numbers of lists.")
    contacts: Names = Field([], description="Addresses, “ref:” and the reference, or numbers of contacts.")


NOBODY = TargetNames(products=[], lists=[], contacts=[])


class Wording(Wanted):
    """The fields that publishing and changing share."""

    def wording(self) -> dict[str, Any]:
        """What was sent, as the actions take it."""
        told = {name: getattr(self, name) for name in self.model_fields_set}
        wording = {
            name: told[name] for name in ("subject", "body", "level", "dismissible", "must_acknowledge") & told.keys()
        }
        if told.get("starts_at"):
            wording["starts_at"] = told["starts_at"]
        if "ends_at" in told:
            wording["ends_at"] = told["ends_at"]
        if "text" in told:
            wording["body"] = linebreaks(told["text"].strip(), autoescape=True)
        if "button" in told:
            button = told["button"]
            wording["link_label"], wording["link_url"] = (button.label, button.url) if button else ("", "")
        return wording


class NoticeWanted(Wording):
    """A notice to publish."""

    targets: TargetNames
    exclude: TargetNames = Field(
        TargetNames(products=[], lists=[], contacts=[]), description="Whom it is not for, though targeted."
    )
    fixed: StrictBool = Field(False, description="Only those who are targeted at this moment.")
    subject: Subject
    body: Html = ""
    text: Plain = ""
    level: LevelName = "info"
    starts_at: Moment | None = Field(None, description="From when on; now, if left out.")
    ends_at: Moment | None = Field(None, description="Until when; until it is ended, if left out.")
    dismissible: StrictBool = True
    must_acknowledge: StrictBool = False
    button: Button | None = None


class NoticeChanges(Wording):
    """What is to be different; fields that are left out stay."""

    subject: Subject = ""
    body: Html = ""
    text: Plain = ""
    level: LevelName = "info"
    starts_at: Moment = Field(default_factory=clock.now)
    ends_at: Moment | None = None
    dismissible: StrictBool = True
    must_acknowledge: StrictBool = False
    button: Button | None = None


class ButtonTold(Schema):
    label: str
    url: str


class NoticeTold(Schema):
    """A notice."""

    id: str
    state: State
    subject: str
    body: str
    level: LevelName
    starts_at: Told
    ends_at: Told | None
    dismissible: bool
    must_acknowledge: bool
    button: ButtonTold | None
    fixed: bool
    created_at: Told
    changed_at: Told
    withdrawn_at: Told | None


class TargetTold(Schema):
    """Something that is targeted: `id` is a number of a product, list or contact."""

    id: int
    name: str


class TargetsTold(Schema):
    products: list[TargetTold]
    lists: list[TargetTold]
    contacts: list[TargetTold]


class NoticeWithTargets(NoticeTold):
    """A notice and whom it is for."""

    targets: TargetsTold
    exclude: TargetsTold


class ListOfNotices(Schema):
    """Newest first; `next` is the cursor of the page after this one, null on the last."""

    items: list[NoticeTold]
    next: str | None


class NoticeNumbers(Schema):
    """People who saw, dismissed, acknowledged and clicked it; `clicks` counts every click."""

    seen: int
    dismissed: int
    acknowledged: int
    clicked: int
    clicks: int


def told(notice: Notice, now: datetime) -> dict[str, Any]:
    """The fields of `NoticeTold`."""
    plain = ("subject", "body", "level", "starts_at", "ends_at", "dismissible", "must_acknowledge")
    moments = ("created_at", "changed_at", "withdrawn_at")
    button = {"label": notice.link_label, "url": notice.link_url} if notice.link_url else None
    return {
        "id": notice.key,
        "state": state_of(notice, now),
        "button": button,
        "fixed": notice.fixed_at is not None,
        **{name: getattr(notice, name) for name in plain + moments},
    }


def told_with_targets(notice: Notice) -> NoticeWithTargets:
    """The whole notice; a few statements."""
    return NoticeWithTargets(
        **told(notice, clock.now()),
        targets=_targets(notice.audience, "include"),
        exclude=_targets(notice.audience, "exclude"),
    )


def _targets(audience: Audience, side: str) -> TargetsTold:
    found: dict[str, list[TargetTold]] = {"product": [], "list": [], "contact": []}
    for target in target_labels(targets_of(audience, side)):
        found[target.kind].append(TargetTold(id=int(target.id.partition("-")[2]), name=target.text))
    return TargetsTold(products=found["product"], lists=found["list"], contacts=found["contact"])
