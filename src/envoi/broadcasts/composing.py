"""From a broadcast's fields to a compiled message: the same way for check, preview, test and sending."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from typing import Any

from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import FieldDefinition
from envoi.content import merge_tags as tags
from envoi.content.compile import Address, Skeleton, Source, compile_email
from envoi.delivery.models import Purpose
from envoi.instance import queries as settings
from envoi.instance import schema

_MARKUP = re.compile(r"<[^>]*>|&nbsp;|\s")


def has_words(body: str) -> bool:
    """Whether there is anything to read or see in the content."""
    return bool(_MARKUP.sub("", body)) or "<img" in body


def source_of(broadcast: Broadcast) -> Source:
    """What the compiler gets for this broadcast as it stands now."""
    asked = settings.get_all()
    layout = broadcast.layout
    return Source(
        subject=broadcast.subject,
        preheader=broadcast.preheader,
        body=broadcast.body + _button(broadcast),
        body_type="rich_text" if broadcast.body_type == Broadcast.BodyType.RICH_TEXT else "html",
        text=broadcast.text_body,
        layout_html=layout.html if layout else "",
        layout_text=layout.text if layout else "",
        language=str(asked[schema.DEFAULT_LANGUAGE.name]),
        opt_out_required=bool(asked[schema.OPT_OUT_REQUIRED.name]) and broadcast.purpose != Purpose.TRANSACTIONAL,
        track_opens=broadcast.track_opens,
        fields=frozenset(FieldDefinition.objects.values_list("key", flat=True)),
    )


def _button(broadcast: Broadcast) -> str:
    """The button of a notice as a link below the content of its e-mail."""
    plan = getattr(broadcast, "plan", None)
    if plan is None or not plan.link_url:
        return ""
    return f'<p><a href="{escape(plan.link_url)}">{escape(plan.link_label)}</a></p>'


def written_down(source: Source) -> dict[str, Any]:
    """`source` as JSON can hold it."""
    return asdict(source) | {"fields": None if source.fields is None else sorted(source.fields)}


def read_again(stored: dict[str, Any]) -> Source:
    """What `written_down` wrote."""
    fields = stored["fields"]
    return Source(**{**stored, "fields": None if fields is None else frozenset(fields)})


def compiled(source: Source, *, track_clicks: bool = False, addresses: Mapping[str, Address] | None = None) -> Skeleton:
    """The message, compiled; with `track_clicks` each link becomes the special `link_<position>`.

    Args:
        addresses: by the names of specials, those that differ between messages in nothing but a token.

    Raises:
        ContentError: it has faults; all of them are named.
    """
    return compile_email(source, _tracked if track_clicks else _as_it_is, addresses)


def link_special(position: int) -> str:
    """The name of the special that holds the tracked address of the link at `position`."""
    return f"link_{position}"


def merge_tags() -> list[tags.MergeTag]:
    """What may be written into subject and content, for the editor's menu."""
    return tags.catalogue(FieldDefinition.objects.values_list("key", "label"))


def _tracked(position: int, url: str, label: str) -> str | None:
    return link_special(position)


def _as_it_is(position: int, url: str, label: str) -> str | None:
    return None
