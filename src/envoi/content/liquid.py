"""Liquid as Envoi reads it: strict, within budgets, over plain data only.

Unknown tags and filters are faults of the template. Values are dictionaries, lists, texts, numbers and dates: there are
no attributes or methods to reach for. What a value holds is never read as Liquid again. Budgets (loops, memory, output,
length of one filter's work) end a template that grows without bound with an error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache, wraps
from typing import Any, Final

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment, Mode
from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError
from markupsafe import Markup

from envoi.content import escaping
from envoi.content.escaping import ESCAPES, Place
from envoi.content.problems import ContentError, Problem

LOOPS: Final = 10_000
OUTPUT_BYTES: Final = 2_000_000
TEXT_LENGTH: Final = 500_000
SEPARATOR: Final = "\x1e"  # on both sides of each value in what `rendered_runs` splits; values hold no controls
NUMBER: Final = "\x1d"  # before the number of a slot that is filled in afterwards
TAGS: Final = ("assign", "break", "capture", "case", "comment", "continue", "cycle", "for", "if", "unless", "#")

PIECES: Final = 2_000
WORD_BLOCKS: Final = 100

_OPENING = re.compile(r"\{\{|\{%")
_BLOCK_OF_WORDS = re.compile(r"\{%-?\s*(?:raw|comment|doc)\b")
_REMOVED_FILTERS = ("safe", "escapejs", "base64_decode", "base64_url_safe_decode")
_DATE_FORMAT = re.compile(r"(?:[^%]|%[-_0^#]?[A-Za-z%])*")


class _Budgeted(Environment):
    loop_iteration_limit = LOOPS
    local_namespace_limit = OUTPUT_BYTES
    output_stream_limit = OUTPUT_BYTES
    block_nesting_limit = 30
    context_depth_limit = 30


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter `function` within its budget."""

    @wraps(function)
    def within(value: object, *args: object, **kwargs: Any) -> Any:
        for given in (value, *args):
            if isinstance(given, range) and len(given) > LOOPS:
                raise FilterArgumentError(_("The range is longer than 10,000."), token=None)
            if isinstance(given, int) and abs(given) > 10**18:
                raise FilterArgumentError(_("The number is too large."), token=None)
        if name == "replace" and len(args) == 2:
            old, new = str(args[0]), str(args[1])
            if str(value).count(old) * len(new) > TEXT_LENGTH:
                raise FilterArgumentError(_("The text becomes too long."), token=None)
        if name == "join" and isinstance(value, (list, range)) and len(value) * len(str(args)) > TEXT_LENGTH:
            raise FilterArgumentError(_("The text becomes too long."), token=None)
        if name == "date" and args and not _DATE_FORMAT.fullmatch(str(args[0])[:200]):
            raise FilterArgumentError(_("The date format is not understood."), token=None)
        if name == "date" and args:
            args = (type(args[0])(args[0][:200]) if isinstance(args[0], str) else args[0], *args[1:])
        result = function(value, *args, **kwargs)
        if isinstance(result, str) and len(result) > TEXT_LENGTH:
            raise FilterArgumentError(_("The text becomes too long."), token=None)
        return result

    return within


def _separated(function: Callable[[object], str]) -> Callable[[object], Markup]:
    def write(value: object) -> Markup:
        return Markup(f"{SEPARATOR}{function(value)}{SEPARATOR}")  # noqa: S704  `function` has escaped it

    return write


def _environment(*, html: bool) -> Environment:
    environment = _Budgeted(tolerance=Mode.STRICT, strict_filters=True, autoescape=html)
    keep = {*TAGS, "content", "output", "illegal"}
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in keep}
    for name in _REMOVED_FILTERS:
        environment.filters.pop(name, None)
    if not html:
        environment.filters["newline_to_br"] = lambda value: value
        environment.filters["escape"] = environment.filters["escape_once"] = lambda value: value
    environment.filters = {name: _guarded(name, function) for name, function in environment.filters.items()}
    for place, function in ESCAPES.items():
        environment.filters[place.value] = _separated(function)
    return environment


HTML: Final = _environment(html=True)
TEXT: Final = _environment(html=False)
FILTERS: Final = frozenset(HTML.filters) - {place.value for place in Place}


def parse(source: str, *, field: str, html: bool, ours: bool = False) -> BoundTemplate:
    """The template of `source`.

    Args:
        ours: checked before and now with the filters of `Place`, which authors cannot use.

    Raises:
        ContentError: it is not well formed, or uses a tag or filter that there is not.
    """
    try:
        template = (HTML if html else TEXT).from_string(source)
        used = {} if ours else template.analyze(include_partials=False).filters
    except LiquidError as error:
        raise ContentError([problem_of(error, field)]) from error
    unknown = [
        Problem(
            field,
            line_of(source, span.index),
            _("There is no filter “%(name)s”.%(hint)s") % {"name": name, "hint": suggestion(name, FILTERS)},
        )
        for name, spans in used.items()
        if name not in FILTERS
        for span in spans
    ]
    if unknown:
        raise ContentError(unknown)
    return template


def oversight(source: str, field: str) -> Problem | None:
    """An opening without its end, or too much Liquid: found in linear time, before anything is parsed."""
    at = pieces = 0
    while (opening := _OPENING.search(source, at)) is not None:
        closing = {"{{": "}}", "{%": "%}"}[opening.group()]
        end = source.find(closing, opening.end())
        pieces += 1
        if end < 0:
            message = _("“%(opening)s” has no “%(closing)s” after it.")
            found = {"opening": opening.group(), "closing": closing}
            return Problem(field, line_of(source, opening.start()), message % found)
        at = end + 2
    if pieces > PIECES or len(_BLOCK_OF_WORDS.findall(source)) > WORD_BLOCKS:
        return Problem(field, 0, _("There is too much Liquid in this; make it simpler."))
    return None


def render(template: BoundTemplate, data: Mapping[str, object], *, field: str) -> str:
    """What `template` says about `data`.

    Raises:
        ContentError: a filter cannot work on its value, or a budget is used up.
    """
    try:
        return template.render(**data)
    except LiquidError as error:
        raise ContentError([problem_of(error, field)]) from error
    except (ArithmeticError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        raise ContentError([Problem(field, 0, _("A filter cannot work on the value that it is given."))]) from error


def problem_of(error: LiquidError, field: str) -> Problem:
    """`error` as a problem of `field`, with its line."""
    where = error.token
    line = line_of(where.source, where.start_index) if where is not None and where.start_index >= 0 else 0
    if isinstance(error, ResourceLimitError):
        message = _("The template does too much work: loops and texts have a limit. Make it simpler.")
    else:
        message = _reason(error)
    return Problem(field, line, message)


def _reason(error: LiquidError) -> str:
    """The library's English in our words, for the oversights that happen."""
    said = str(error.message or type(error).__name__)
    if found := re.search(r"expected tag (?:\w+ or )*(end\w+), found", said):
        return _("“{%% %(begin)s %%}” is never ended. Write “{%% %(end)s %%}” after it.") % {
            "begin": found.group(1).removeprefix("end"),
            "end": found.group(1),
        }
    if found := re.search(r"unexpected tag '(\w+)'", said):
        return _("“{%% %(name)s %%}” cannot stand here.") % {"name": found.group(1)}
    return _("Liquid: %(reason)s") % {"reason": said}


def line_of(source: str, index: int) -> int:
    """The line, from 1, of the character `index`."""
    return source.count("\n", 0, max(index, 0)) + 1


def suggestion(name: str, known: frozenset[str] | set[str]) -> str:
    """“ Did you mean …?” when something known is written nearly like `name`, else nothing."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return _(" Did you mean “%(name)s”?") % {"name": near[0]} if near else ""


@lru_cache(maxsize=4096)
def _url_template(template: str) -> BoundTemplate:
    escaped = re.sub(
        r"\{\{-?(.*?)-?\}\}",
        lambda found: _url_output(found.group(1), starts=found.start() == 0),
        template,
        flags=re.DOTALL,
    )
    return parse(escaped, field="link", html=False, ours=True)


def _url_output(inner: str, *, starts: bool) -> str:
    place = Place.TEXT_URL if starts else Place.TEXT_URL_PART
    return f"{{{{ {inner.strip()} | {place.value} }}}}"


def fill_url(template: str, data: Mapping[str, object]) -> str:
    """The address of a tracked link for one person: values are percent-encoded; a dangerous scheme gives "".

    Raises:
        ContentError: the template cannot be rendered.
    """
    if "{" not in template:
        return escaping.at_text_url(template)
    return escaping.at_text_url(render(_url_template(template), data, field="link").replace(SEPARATOR, ""))
