"""The audit log."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from envoi.accounts import queries
from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.audit_words import words_of
from envoi.core.pagination import paginate


@requires(Permission.MANAGE_USERS)
@require_GET
def entries(request: SignedInRequest) -> HttpResponse:
    q = request.GET.get("q", "").strip()
    page = paginate(queries.audit_entries(q), ("-id",), request.GET.get("cursor", ""))
    rows = [(entry, words_of(entry.verb)) for entry in page.rows]
    return render(request, "console/settings/audit.html", {"page": page, "rows": rows, "q": q})
