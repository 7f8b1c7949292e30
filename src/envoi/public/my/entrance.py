"""In and out."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from envoi.core import addresses
from envoi.core.signing import BadToken
from envoi.customers import tokens
from envoi.customers.actions import signing_in
from envoi.customers.models import SignIn
from envoi.public.my.visits import begin, customers, end, page, visitors

# From one address of the network in ten minutes; behind a proxy that is everybody.
MOST, WITHIN = 300, 600


@visitors
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same whether the address is known."""
    if request.method != "POST":
        return page(request, "sign_in", {})
    typed = request.POST.get("address", "").strip()
    try:
        addresses.parse(typed)
    except addresses.AddressError:
        problem = _("This is not an e-mail address. Write it such as ada@example.org.")
        return page(request, "sign_in", {"typed": typed[:254], "problem": problem}, status=422)
    if _too_many(request):
        return page(request, "sign_in", {"typed": typed, "problem": _("Too many tries. Wait ten minutes.")}, status=429)
    signing_in.ask(typed, translation.get_language() or "en")
    return page(request, "sent", {"typed": typed})


@visitors
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, so that a program that looks at links uses none up; POST comes in."""
    if request.method != "POST":
        return page(request, "enter", {})
    try:
        visit = signing_in.enter(tokens.read(token, tokens.LINK))
    except (BadToken, signing_in.LinkOver):
        return page(request, "link_over", {}, status=410)
    return begin(redirect("public:my"), visit)


@require_POST
@customers
def sign_out(request: HttpRequest, visit: SignIn) -> HttpResponse:
    signing_in.leave(visit)
    return end(redirect("public:my-sign-in"))


def _too_many(request: HttpRequest) -> bool:
    key = f"my-sign-in:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, WITHIN)
    try:
        return cache.incr(key) > MOST
    except ValueError:  # it ran out between the two
        return False
