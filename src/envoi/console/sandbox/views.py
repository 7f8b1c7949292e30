"""The sandbox mailbox: what was sent there, as a reader would see it."""

from __future__ import annotations

import sqlite3
from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.console.access import SignedInRequest, View, requires
from envoi.content import isolated
from envoi.delivery import relay
from envoi.delivery.sandbox.reading import read
from envoi.delivery.sandbox.store import KEPT, Listed, mailbox
from envoi.delivery.sandbox.tricks import TRICKS

SHOWN_SOURCE = 200_000
VIEWS = (
    ("html", gettext_lazy("HTML")),
    ("text", gettext_lazy("Text")),
    ("headers", gettext_lazy("Headers")),
    ("source", gettext_lazy("Source")),
)


def readable(view: View) -> View:
    """Answer with a page, not a fault, when the mailbox's file cannot be read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> object:
        try:
            return view(request, *args, **kwargs)
        except (sqlite3.DatabaseError, OSError) as error:
            return render(request, "console/sandbox/unreadable.html", {"reason": str(error)}, status=503)

    return guarded  # type: ignore[return-value]


@requires(Permission.READ_SANDBOX)
@require_safe
@readable
def index(request: SignedInRequest) -> HttpResponse:
    """Newest first. htmx asks every few seconds; unless something new came it is answered with nothing."""
    q = request.GET.get("q", "").strip()
    page = mailbox().search(q, request.GET.get("cursor", ""))
    newest = page.rows[0].id if page else 0
    if request.headers.get("HX-Target") == "messages" and request.GET.get("newest") == str(newest):
        return HttpResponse(status=204)
    context = {
        "q": q,
        "page": page,
        "newest": newest,
        "kept": KEPT,
        "live": not request.GET.get("cursor"),
        "running": _running(),
        "tricks": TRICKS,
        "may_delete": may(request.user, Permission.EDIT_BROADCASTS),
    }
    partial = request.headers.get("HX-Target") == "messages"
    return render(request, f"console/sandbox/{'_messages' if partial else 'list'}.html", context)


@requires(Permission.READ_SANDBOX)
@require_safe
@readable
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """One message: HTML, text, headers or source."""
    listed, raw = _found(pk)
    reading = read(raw)
    q = request.GET.get("q", "").strip()
    chosen = request.GET.get("view", "html" if reading.html else "text")
    newer, older = mailbox().neighbours(pk, q)
    context = {
        "message": listed,
        "reading": reading,
        "view": chosen if chosen in dict(VIEWS) else "text",
        "views": VIEWS,
        "source": raw[:SHOWN_SOURCE].decode("utf-8", "replace").replace("\0", "\ufffd") if chosen == "source" else "",
        "source_cut": len(raw) > SHOWN_SOURCE,
        "one_click": _own_path(reading.one_click),
        "q": q,
        "newer": newer,
        "older": older,
        "may_delete": may(request.user, Permission.EDIT_BROADCASTS),
    }
    return render(request, "console/sandbox/message.html", context)


@requires(Permission.READ_SANDBOX)
@require_safe
@readable
def document(request: SignedInRequest, pk: int) -> HttpResponse:
    """The message's HTML for the frame: pictures load as in a reader's mail program, nothing in it can run."""
    return isolated.document(read(_found(pk)[1]).html)


@requires(Permission.READ_SANDBOX)
@require_safe
@readable
def download(request: SignedInRequest, pk: int) -> HttpResponse:
    """The bytes as received, for a mail program."""
    answer = HttpResponse(_found(pk)[1], content_type="message/rfc822")
    answer["Content-Disposition"] = f'attachment; filename="message-{pk}.eml"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@requires(Permission.EDIT_BROADCASTS)
@require_POST
@readable
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    mailbox().delete([pk])
    messages.success(request, _("The message is deleted."))
    return redirect("sandbox:list")


@requires(Permission.EDIT_BROADCASTS)
@require_POST
@readable
def delete_all(request: SignedInRequest) -> HttpResponse:
    mailbox().delete()
    messages.success(request, _("The sandbox mailbox is empty."))
    return redirect("sandbox:list")


def _found(pk: int) -> tuple[Listed, bytes]:
    found = mailbox().get(pk)
    if found is None:
        raise Http404
    return found


def _own_path(url: str) -> str:
    """The part of one of our own addresses after the host, so that the form reaches this server under any name."""
    own, found = urlsplit(settings.ENVOI_BASE_URL), urlsplit(url)
    if not url or (own.scheme, own.netloc) != (found.scheme, found.netloc):
        return ""
    return found.path + (f"?{found.query}" if found.query else "")


def _running() -> bool:
    try:
        return bool(relay.sandbox_port())
    except relay.RelayNotReady:
        return False
