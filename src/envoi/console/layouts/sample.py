"""An invented e-mail that shows what a layout looks like."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from envoi.content.compile import ContentError, Rendered, Source, compile_email

PERSON = {
    "contact": {"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "name": "Ada Lovelace"},
    "organisation": {"name": "Example", "address": "1 High Street\nLondon", "website": "https://example.org"},
}
SPECIALS = {"unsubscribe_url": "#", "webview_url": "#", "open_url": ""}


def rendered(html: str, text: str) -> Rendered:
    """The sample in this layout.

    Raises:
        ContentError: the layout has faults.
    """
    body = format_html(
        "<h1>{}</h1><p>{}</p><h2>{}</h2><ul><li>{}</li><li>{}</li></ul><p><a href='https://example.org'>{}</a></p>",
        _("Good morning, Ada"),
        _("This is how a paragraph looks in this layout: long enough to fill more than one line on a telephone."),
        _("A heading"),
        _("The first point"),
        _("The second point"),
        _("A link"),
    )
    source = Source(
        subject=_("A sample"), body=body, layout_html=html, layout_text=text, language=get_language() or "en"
    )
    return compile_email(source).render(PERSON, SPECIALS)


def page(html: str, text: str) -> str:
    """The sample as a page, or a page with the faults."""
    try:
        return rendered(html, text).html
    except ContentError as error:
        faults = format_html_join("", "<li>{}</li>", ((str(problem),) for problem in error.problems))
        return format_html("<!doctype html><html><head></head><body><ul>{}</ul></body></html>", faults)
