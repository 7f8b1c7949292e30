"""What only shows when a message is filled in: a loop without end, a text that grows beyond every limit."""

from __future__ import annotations

from collections import defaultdict

from envoi.content import merge_tags
from envoi.content.compile.skeleton import Skeleton
from envoi.content.problems import ContentError, Problem

_SPECIALS = {"unsubscribe_url": "#", "webview_url": "#", "open_url": ""}


def problems_for_everybody(skeleton: Skeleton) -> list[Problem]:
    """Why nobody can be written to, or [].

    A message that only fails for some is left alone: their rows of the log say why.
    """
    found = _problems(skeleton, _well_known())
    return found and _problems(skeleton, merge_tags.person(None, address="nobody@example.org"))


def _well_known() -> dict[str, object]:
    """Somebody of whom everything is known: a 1, which words, comparisons and divisions can all live with."""
    data: dict[str, dict[str, object]] = {"contact": {}, "organisation": {}, "broadcast": {}}
    for tag in merge_tags.catalogue():
        root, dot, name = tag.path.partition(".")
        if dot:
            data[root][name] = "1"
    data["contact"]["fields"] = defaultdict(lambda: "1")
    return dict(data)


def _problems(skeleton: Skeleton, person: dict[str, object]) -> list[Problem]:
    try:
        skeleton.render(person, _SPECIALS)
    except ContentError as error:
        return error.problems
    return []
