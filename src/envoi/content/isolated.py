"""An e-mail shown in a browser, shut off from everything: preview, sandbox mailbox and web view answer with this.

The page runs no script, sends no form, opens no frame and has an origin of its own (CSP `sandbox`), whatever the
e-mail holds. Pages of the console show it in `<iframe sandbox="allow-popups allow-popups-to-escape-sandbox">`.
"""

from __future__ import annotations

import re

from django.http import HttpResponse

_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; script-src 'none'; "
    "img-src {images}; media-src 'none'; font-src {images}; style-src 'unsafe-inline'; connect-src 'none'; "
    "frame-src 'none'; object-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)
# Links open beside the page: inside a frame they would meet the console's own policy.
_TARGET = '<base target="_blank">'


def document(html: str, *, images: bool = True) -> HttpResponse:
    """`html` as a page that can do nothing but be read.

    Args:
        images: False shows no pictures from elsewhere, so that looking at a message tells nobody.
    """
    allowed = "http: https: data:" if images else "data:"
    return HttpResponse(
        _HEAD.sub(lambda found: found.group() + _TARGET, html, count=1),
        headers={
            "Content-Security-Policy": _POLICY.format(images=allowed),  # django-csp leaves a policy alone that is set
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, no-store",
            "X-Robots-Tag": "noindex",
        },
    )
