"""Notices: publish, look, change, end, withdraw, count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from envoi.accounts.permissions import Permission
from envoi.api.authentication import ApiKeyInHeader, ApiRequest, actor_of
from envoi.api.description import problem_answers, repeatable
from envoi.api.idempotency import once
from envoi.api.notice_schemas import (
    Key,
    ListOfNotices,
    NoticeChanges,
    NoticeNumbers,
    NoticeTold,
    NoticeWanted,
    NoticeWithTargets,
    State,
    told,
    told_with_targets,
)
from envoi.api.problems import Problem, invalid, not_found
from envoi.api.schemas import Cursor, only_known
from envoi.audiences.queries import NamesUnknown, Targets, named_targets
from envoi.broadcasts.actions import on_dashboards as actions
from envoi.broadcasts.actions.steer import NotSteerable
from envoi.broadcasts.errors import NotReady
from envoi.core import clock
from envoi.core.pagination import paginate
from envoi.notices import queries
from envoi.notices.actions import NoticeOver, NoticeRefused
from envoi.notices.models import Notice
from envoi.notices.queries.states import in_state

router = Router(tags=["Notices"])
READ, SEND = ApiKeyInHeader(Permission.VIEW), ApiKeyInHeader(Permission.SEND_BROADCASTS)
FIELDS = {"link_label": "button.label", "link_url": "button.url"}
Done = TypeVar("Done")


class Which(Schema):
    """Which notices, and how many at once."""

    state: State | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Cursor = ""


@router.post(
    "/notices",
    auth=SEND,
    response={201: NoticeWithTargets},
    operation_id="publish_notice",
    summary="Publish",
    openapi_extra=repeatable(),
)
def publish(request: ApiRequest, wanted: NoticeWanted) -> HttpResponse:
    """Show a notice on the dashboards of the targeted customers, from its beginning (now, if none is given) on.

    Send an `Idempotency-Key` so that it can be repeated safely.
    """
    return once(request, 201, lambda: _published(request, wanted))


@router.get(
    "/notices",
    auth=READ,
    response=ListOfNotices,
    operation_id="list_notices",
    summary="List",
    openapi_extra=problem_answers(),
)
def several(request: HttpRequest, which: Query[Which]) -> ListOfNotices:
    """Newest first."""
    only_known(request, Which)
    now = clock.now()
    page = paginate(in_state(which.state or "", now), ("-created_at", "-id"), which.cursor, which.limit)
    return ListOfNotices(items=[NoticeTold(**told(notice, now)) for notice in page.rows], next=page.next or None)


@router.get(
    "/notices/{key}",
    auth=READ,
    response=NoticeWithTargets,
    operation_id="get_notice",
    summary="Read",
    openapi_extra=problem_answers(),
)
def one(request: HttpRequest, key: Key) -> NoticeWithTargets:
    """One notice and whom it is for."""
    return told_with_targets(_found(key))


@router.patch(
    "/notices/{key}",
    auth=SEND,
    response=NoticeWithTargets,
    operation_id="change_notice",
    summary="Change",
    openapi_extra=problem_answers(),
)
def change(request: ApiRequest, key: Key, changes: NoticeChanges) -> NoticeWithTargets:
    """Everybody sees the new words at their next look. Fields that are left out stay as they are."""
    if {"body", "text"} <= changes.model_fields_set:
        raise _body_or_text()
    notice, actor = _found(key), actor_of(request)
    _tried(lambda: actions.change(notice, actor=actor, **changes.wording()))
    return told_with_targets(notice)


@router.post(
    "/notices/{key}/end",
    auth=SEND,
    response=NoticeWithTargets,
    operation_id="end_notice",
    summary="End",
    openapi_extra=repeatable(),
)
def end(request: ApiRequest, key: Key) -> HttpResponse:
    """Show it no more. It stays among everybody's past messages."""
    notice, actor = _found(key), actor_of(request)
    return once(request, 200, lambda: _after(notice, lambda: actions.end(notice, actor=actor)))


@router.post(
    "/notices/{key}/withdraw",
    auth=SEND,
    response=NoticeWithTargets,
    operation_id="withdraw_notice",
    summary="Withdraw",
    openapi_extra=repeatable(),
)
def withdraw(request: ApiRequest, key: Key) -> HttpResponse:
    """Take it back, also from everybody's past messages. Its numbers stay."""
    notice, actor = _found(key), actor_of(request)
    return once(request, 200, lambda: _after(notice, lambda: actions.withdraw(notice, actor=actor)))


@router.get(
    "/notices/{key}/numbers",
    auth=READ,
    response=NoticeNumbers,
    operation_id="count_notice",
    summary="Numbers",
    openapi_extra=problem_answers(),
)
def numbers(request: HttpRequest, key: Key) -> NoticeNumbers:
    """What came of it, at this moment."""
    return NoticeNumbers(**asdict(queries.numbers(_found(key))))


def _published(request: ApiRequest, wanted: NoticeWanted) -> NoticeWithTargets:
    if wanted.body and wanted.text:
        raise _body_or_text()
    include, exclude = _targets("targets", wanted), _targets("exclude", wanted)
    fixed, actor, wording = wanted.fixed, actor_of(request), wanted.wording()
    return told_with_targets(_tried(lambda: actions.publish(include, exclude, fixed=fixed, actor=actor, **wording)))


def _after(notice: Notice, work: Callable[[], None]) -> NoticeWithTargets:
    _tried(work)
    return told_with_targets(notice)


def _body_or_text() -> Problem:
    return invalid([("body", _("Write the content either as HTML in “body” or as plain text in “text”."))])


def _targets(field: str, wanted: NoticeWanted) -> Targets:
    names = wanted.targets if field == "targets" else wanted.exclude
    try:
        return named_targets(products=names.products, lists=names.lists, contacts=names.contacts)
    except NamesUnknown as unknown:
        raise invalid([(f"{field}.{kind}.{at}", message) for kind, at, message in unknown.problems]) from unknown


def _found(key: str) -> Notice:
    notice = queries.by_key(key)
    if notice is None:
        raise not_found(_("There is no such notice."))
    return notice


def _tried(work: Callable[[], Done]) -> Done:
    """What `work` gives; what it refuses becomes a problem."""
    try:
        return work()
    except NoticeRefused as refused:
        raise invalid([(FIELDS.get(field, field), message) for field, message in refused.problems]) from refused
    except NotReady as refused:
        raise invalid([(FIELDS.get(one.field, one.field), one.message) for one in refused.problems]) from refused
    except (NoticeOver, NotSteerable) as over:
        raise Problem(409, "notice_over", str(over)) from over
