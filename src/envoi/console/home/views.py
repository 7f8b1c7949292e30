"""The start page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires


@requires(Permission.VIEW)
@require_GET
def dashboard(request: SignedInRequest) -> HttpResponse:
    return render(request, "console/home/dashboard.html")
