"""From `Source` to `Skeleton`: check, compose with the layout, build the document and the plain version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import nh3
from django.utils import translation
from django.utils.translation import gettext as _

from envoi.content import dialects, liquid, merge_tags
from envoi.content.compile import document, text
from envoi.content.compile.constructs import MARKER, Construct, Constructs, Kind, Run, split
from envoi.content.compile.link_faults import link_faults
from envoi.content.compile.parts import Part
from envoi.content.compile.skeleton import Link, Skeleton
from envoi.content.compile.source import Address, LinkFor, Source
from envoi.content.escaping import Place
from envoi.content.problems import ContentError, Problem

LONGEST = 1_000_000
BARE = "<!doctype html><html><head></head><body>{{ content }}</body></html>"
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})

_HTML_FIELDS = frozenset({"body", "layout_html"})
_SENTENCE = re.compile(r"\n[ \t]*\n+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(slots=True)
class _Draft:
    """The texts of a source with markers for their Liquid."""

    constructs: Constructs
    texts: dict[str, str]
    variables: set[str]
    begin: str = ""  # markers around the content, to find it again in the finished document
    end: str = ""


def compile_email(
    source: Source, link_for: LinkFor | None = None, addresses: Mapping[str, Address] | None = None
) -> Skeleton:
    """Compile `source`.

    Args:
        link_for: asked about each link that can be tracked; None tracks nothing.
        addresses: by the names of specials, those that differ between messages in nothing but a token.

    Raises:
        ContentError: with every fault found, each with its field and line.
    """
    links: list[Link] = []

    def ask(position: int, url: str, label: str) -> str | None:
        links.append(Link(position, url, label))
        return link_for(position, url, label) if link_for is not None else None

    with translation.override(_catalogue_of(source.language)):
        draft = _checked(source)
        _composed(source, draft)
        constructs = draft.constructs
        built = document.built(draft.texts["html"], _frame(source, draft), constructs, ask)
        if built.problems:
            raise ContentError(built.problems)
        plain = text.tracked(draft.texts["plain"], constructs, ask, built.links)
        if not source.text.strip():
            made = built.readable.text(
                draft.begin, draft.end, constructs, only_between=bool(source.layout_text.strip())
            )
            plain = plain.replace(draft.begin, made)
        subject = split(draft.texts["subject"], lambda _at: Place.HEADER)
        return Skeleton(
            Part(subject, constructs, html=False, addresses=addresses),
            Part(_tight(built.runs), constructs, html=True, addresses=addresses),
            Part(text.runs(plain), constructs, html=False, addresses=addresses),
            tuple(sorted(draft.variables)),
            tuple(links),
            addresses,
        )


def problems_of_layout(html: str, plain: str, fields: frozenset[str] | None = None) -> list[Problem]:
    """What is wrong with a layout by itself; [] when it can be used."""
    try:
        compile_email(Source(subject="x", body="x", layout_html=html or " ", layout_text=plain, fields=fields))
    except ContentError as error:
        return error.problems
    return []


def _checked(source: Source) -> _Draft:
    """Every text parsed, its merge tags known, its Liquid taken out."""
    given = {
        "subject": source.subject,
        "preheader": source.preheader,
        "body": source.body,
        "text": source.text,
        "layout_html": source.layout_html or BARE,
        "layout_text": source.layout_text,
    }
    draft, problems = _Draft(Constructs(), {}, set()), _missing(source)
    for name, written in given.items():
        if len(written) > LONGEST:
            problems.append(Problem(name, 0, _("This is longer than a million characters; an e-mail must be shorter.")))
            continue
        found = liquid.oversight(written, name)
        if found is not None:
            problems.append(found)
            continue
        html = name in _HTML_FIELDS
        translated = _expanded(dialects.translated(written, html=html), html=html)
        problems += _faults(translated, name, source, draft)
        draft.texts[name] = draft.constructs.taken_out(translated, name)
        problems += link_faults(draft.texts[name], written, name) if html else []
    if problems:
        raise ContentError(problems)
    return draft


def _missing(source: Source) -> list[Problem]:
    problems = []
    if not source.subject.strip():
        problems.append(Problem("subject", 0, _("Write a subject.")))
    if not source.body.strip():
        problems.append(Problem("body", 0, _("Write the content.")))
    return problems


def _expanded(source: str, *, html: bool) -> str:
    for name, url, words in (
        ("unsubscribe_text", "unsubscribe_url", _("Unsubscribe")),
        ("webview_text", "webview_url", _("View in your browser")),
    ):
        link = f'<a href="{{{{ {url} }}}}">{escape(words)}</a>' if html else f"{words}: {{{{ {url} }}}}"
        source = re.sub(rf"\{{\{{\s*{name}\s*\}}\}}", lambda _found, link=link: link, source)  # type: ignore[misc]
    return source


def _faults(written: str, name: str, source: Source, draft: _Draft) -> list[Problem]:
    try:
        template = liquid.parse(written, field=name, html=name in _HTML_FIELDS)
    except ContentError as error:
        return error.problems
    problems = []
    for variables in template.analyze(include_partials=False).globals.values():
        for variable in variables:
            path = [str(segment) for segment in variable.segments]
            if path == ["content"] and name.startswith("layout"):
                continue
            draft.variables.add(".".join(path))
            known = merge_tags.unknown_part(path, source.fields)
            if known is not None:
                message = _("There is no merge tag “%(tag)s”.%(hint)s") % {
                    "tag": ".".join(path),
                    "hint": liquid.suggestion(".".join(path), known),
                }
                problems.append(Problem(name, liquid.line_of(written, variable.span.index), message))
    return problems


def _composed(source: Source, draft: _Draft) -> None:
    """Put the body into the layout and the opt-out footer below."""
    texts, constructs = draft.texts, draft.constructs
    body = texts["body"]
    if source.body_type == "rich_text":
        body = nh3.clean(
            _paragraphs(body), link_rel=None, strip_comments=True, url_schemes={"http", "https", "mailto", "tel"}
        )
    draft.begin, draft.end = (constructs.add(Construct(Kind.EDGE, "", "body", 0)) for _number in range(2))
    html, places = constructs.replaced(texts["layout_html"], "content", f"{draft.begin}{body}{draft.end}")
    if not places:
        message = _("The layout has no {{ content }}: write it where the content of the e-mail goes.")
        raise ContentError([Problem("layout_html", 0, message)])
    for name in ("subject", "preheader"):
        html, _places = constructs.replaced(html, f"broadcast.{name}", _escaped(texts[name]))
    plain = _around(texts["layout_text"], texts["text"] if source.text.strip() else draft.begin, constructs)
    if source.opt_out_required:
        html = _with_html_footer(html, constructs)
        if source.text.strip() or source.layout_text.strip():
            plain = _with_plain_footer(plain, constructs)
    texts["html"], texts["plain"] = html, plain


def _around(layout: str, content: str, constructs: Constructs) -> str:
    if not layout.strip():
        return content
    whole, places = constructs.replaced(layout, "content", content)
    return whole if places else f"{content}\n{whole}"


def _used(written: str, constructs: Constructs) -> set[str]:
    return {constructs[marker].inner.split("|")[0].strip() for marker in MARKER.findall(written)}


def _with_html_footer(html: str, constructs: Constructs) -> str:
    used, lines = _used(html, constructs), []
    if "organisation.address" not in used:
        # On lines of their own: neither needs the other, and nothing hangs in the air where one is not set.
        lines += ["{{ organisation.name }}", "{{ organisation.address }}"]
    if "unsubscribe_url" not in used:
        lines.append(f'<a href="{{{{ unsubscribe_url }}}}" style="color:#5c6370">{escape(_("Unsubscribe"))}</a>')
    if not lines:
        return html
    style = "padding:16px;text-align:center;font-family:sans-serif;font-size:14px;line-height:20px;color:#5c6370"
    footer = constructs.taken_out(f'<div style="{style}">{"<br>".join(lines)}</div>', "layout_html")
    at = html.lower().rfind("</body>")
    return html[:at] + footer + html[at:] if at >= 0 else html + footer


def _with_plain_footer(plain: str, constructs: Constructs) -> str:
    used = _used(plain, constructs)
    lines = [] if "organisation.address" in used else ["{{ organisation.name }}", "{{ organisation.address }}"]
    lines += [] if "unsubscribe_url" in used else [f"{_('Unsubscribe')}: {{{{ unsubscribe_url }}}}"]
    if not lines:
        return plain
    return plain.rstrip("\n") + "\n\n" + constructs.taken_out("\n".join(["-- ", *lines, ""]), "layout_text")


def _frame(source: Source, draft: _Draft) -> document.Frame:
    language = source.language if _LANGUAGE.fullmatch(source.language) else "en"
    return document.Frame(
        language=language,
        direction="rtl" if language.split("-")[0].lower() in RIGHT_TO_LEFT else "ltr",
        title=_escaped(draft.texts["subject"]),
        preheader=_escaped(draft.texts["preheader"]),
        pixel=draft.constructs.special("open_url") if source.track_opens else "",
    )


def _catalogue_of(language: str) -> str:
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return "en"


def _escaped(words: str) -> str:
    return escape(words.strip(), quote=True)


def _paragraphs(body: str) -> str:
    """`body` as it is, or, when it has no HTML at all, its blank lines made paragraphs."""
    if "<" in body:
        return body
    blocks = [block.strip().replace("\n", "<br>") for block in _SENTENCE.split(body)]
    return "".join(f"<p>{block}</p>" for block in blocks if block)


def _tight(runs: list[Run]) -> list[Run]:
    """Neighbouring words joined."""
    out: list[Run] = []
    for run in runs:
        if out and isinstance(run, str) and isinstance(out[-1], str):
            out[-1] += run
        else:
            out.append(run)
    return out
