"""`{% load console %}`: icons, form fields, states and addresses of the bundle, drawn the same everywhere."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from envoi.console import assets
from envoi.core import wording

register = template.Library()

# How each state of the product looks; the words say it, the colour only helps.
STATE_COLOURS = {
    "draft": "grey",
    "sending": "blue",
    "showing": "blue",
    "running": "blue",
    "queued": "grey",
    "pending": "grey",
    "leased": "blue",
    "in_doubt": "blue",
    "mapping": "yellow",
    "paused": "yellow",
    "held": "yellow",
    "unconfirmed": "yellow",
    "trialing": "blue",
    "deferred": "orange",
    "on_hold": "orange",
    "expired": "orange",
    "bounced": "orange",
    "complained": "orange",
    "finished": "green",
    "sent": "green",
    "confirmed": "green",
    "active": "green",
    "failed": "red",
    "cancelled": "grey",
    "withdrawn": "grey",
    "unknown": "purple",
}
LIVE_STATES = frozenset({"sending", "running", "showing"})


@register.filter
def said(value: object) -> object:
    """A reason that was kept without a language, in the reader's; anything else as it is."""
    return wording.said(value) if isinstance(value, str) else value


@register.simple_tag
def asset(name: str) -> str:
    """The address of a file of the bundle."""
    return assets.address(name)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of `frontend/icons.txt`; without `label` it is decoration and hidden from screen readers."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon {}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>',
        css,
        meaning,
        mark_safe(assets.drawing(name)),  # noqa: S308 -- our own build wrote it
    )


@register.simple_tag
def state(value: str, label: str) -> SafeString:
    """A state as a pill: `{% state broadcast.status broadcast.get_status_display %}`."""
    live = " state-live" if value in LIVE_STATES else ""
    return format_html('<span class="state state-{}{}">{}</span>', STATE_COLOURS.get(str(value), "grey"), live, label)


@register.inclusion_tag("console/components/field.html")
def field(bound: BoundField, label: str = "", hide_label: bool = False, autofocus: bool = False) -> dict[str, Any]:
    """One field of a form: label, control, help and errors, tied together for screen readers."""
    widget = bound.field.widget
    check = isinstance(widget, CheckboxInput)
    group = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    return {
        "field": bound,
        "label": label or bound.label,
        "hide_label": hide_label,
        "check": check,
        "group": group,
        "hidden": bound.is_hidden,
        "control": bound.as_widget(attrs={"class": _classes(bound), **({"autofocus": True} if autofocus else {})}),
    }


def _classes(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | RadioSelect):
        base = "form-check-input"
    elif isinstance(widget, Select):
        base = "form-select"
    elif isinstance(widget, FileInput):
        base = "form-control"
    else:
        base = "form-control"
    invalid = " is-invalid" if bound.errors else ""
    return f"{base} {widget.attrs.get('class', '')}{invalid}".replace("  ", " ").strip()


class AgainNode(template.Node):
    def __init__(self, name: str) -> None:
        self.name = name

    def render(self, context: Context) -> SafeString:
        block = context.render_context[BLOCK_CONTEXT_KEY].get_block(self.name)
        return mark_safe(block.render(context) if block else "")  # noqa: S308 -- rendered with escaping


@register.tag
def again(parser: Parser, token: Token) -> AgainNode:
    """`{% again "title" %}` renders a block of the page a second time: one title for the tab and the heading."""
    _tag, name = token.split_contents()
    return AgainNode(name.strip("\"'"))
