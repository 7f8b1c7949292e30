"""HTML written for mail, shown so that it can do nothing: no script, no form, no cookie, an origin of its own."""

from __future__ import annotations

from django.http import HttpResponse

POLICY = "; ".join(
    [
        "sandbox allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "img-src http: https: data:",
        "media-src http: https:",
        "font-src http: https: data:",
        "style-src http: https: 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)


def isolated(html: str) -> HttpResponse:
    """The answer that shows `html`, a whole document. django-csp leaves a policy alone that is set already."""
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
