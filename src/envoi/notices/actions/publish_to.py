"""Publish a notice to targets that a program or a script names: the same for API and command line."""

from __future__ import annotations

from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.models import User
from envoi.audiences.actions.audiences import NOBODY, save_audience
from envoi.audiences.queries import Targets
from envoi.notices.actions.operate import NoticeRefused, Wording, publish
from envoi.notices.models import Notice


def publish_to(
    include: Targets, exclude: Targets = NOBODY, *, fixed: bool = False, actor: User | None, **wording: Unpack[Wording]
) -> Notice:
    """Save the audience and publish, or neither.

    Raises:
        NoticeRefused: nobody is included, or something is missing or cannot be.
    """
    if not include:
        raise NoticeRefused([("targets", _("Name at least one product, list or contact."))])
    with transaction.atomic():
        audience = save_audience(None, include=include, exclude=exclude, actor=actor)
        return publish(audience, fixed=fixed, actor=actor, **wording)
