"""Pages about imports: choose a file, match its columns, watch it, see what was refused."""

from __future__ import annotations

from itertools import islice

from django.contrib import messages
from django.db import transaction
from django.forms import BoundField
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission
from envoi.audiences.actions import lists
from envoi.audiences.queries import list_filled_by
from envoi.console.access import SignedInRequest, requires
from envoi.console.contacts.forms import MappingForm, ReadForm, UploadForm
from envoi.contacts.actions import import_run, imports
from envoi.contacts.actions.import_forecast import forecast as forecast_of
from envoi.contacts.importing.records import Unreadable, rows
from envoi.contacts.models import Import, ImportProblem
from envoi.core import csv_export
from envoi.core.pagination import paginate

# Rows that are tried for the preview.
TRIED = 1000
SHOWN = 8


@requires(Permission.EDIT_CONTACTS)
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    page = paginate(Import.objects.all(), ("-created_at", "-id"), request.GET.get("cursor", ""))
    return render(request, "console/contacts/imports.html", {"page": page})


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = imports.receive(file.chunks(), file.name, actor=request.user)
        except Unreadable as error:
            form.add_error("file", str(error))
        else:
            return redirect("contacts:import", pk=made.pk)
    return render(request, "console/contacts/import_new.html", {"form": form})


@requires(Permission.EDIT_CONTACTS)
@require_http_methods(["GET", "POST"])
def show(request: SignedInRequest, pk: int) -> HttpResponse:
    """An import that waits for its columns, or how far it is and what came of it."""
    of = get_object_or_404(Import, pk=pk)
    if of.status != Import.Status.MAPPING:
        return render(request, "console/contacts/import.html", _progress(of))
    form = MappingForm(request.POST or None, of=of)
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST:
            of.mapping, of.update_existing = form.mapping, form.cleaned_data["update_existing"]
            of.kind = form.cleaned_data["kind"]
        elif _started(form, of, request):
            return redirect("contacts:import", pk=pk)
    return render(request, "console/contacts/import_mapping.html", _mapping(of, form))


def _started(form: MappingForm, of: Import, request: SignedInRequest) -> bool:
    chosen = form.cleaned_data
    try:
        with transaction.atomic():
            target = form.chosen_list
            if chosen["target"] == "new":
                target = lists.create(chosen["new_list"], actor=request.user)
            if target:
                lists.fill_from(of, target, actor=request.user)
            imports.start(
                of,
                form.mapping,
                kind=chosen["kind"],
                update_existing=chosen["update_existing"],
                actor=request.user,
            )
    except lists.NameTaken as error:
        form.add_error("new_list", str(error))
    except (imports.WrongMapping, imports.NotNow) as error:
        form.add_error(None, str(error))
    else:
        return True
    return False


def _mapping(of: Import, form: MappingForm) -> dict[str, object]:
    """The first rows as they are read, and what would come of the first thousand."""
    context: dict[str, object] = {
        "of": of,
        "form": form,
        "read_form": ReadForm(initial={"encoding": of.encoding, "delimiter": of.delimiter}),
    }
    try:
        with imports.opened(of) as stream:
            sample = list(islice(rows(stream, of.encoding, of.delimiter, of.skip), TRIED))
    except Unreadable as error:
        return context | {"fault": str(error)}
    columns: list[tuple[BoundField, list[str]]] = [
        (bound, [row.cells[number] if number < len(row.cells) else "" for row in sample[:3]])
        for number, bound in enumerate(form.columns)
    ]
    forecast = forecast_of(of, iter(sample)) if "address" in of.mapping.values() else None
    return context | {"columns": columns, "sample": sample[:SHOWN], "forecast": forecast, "tried": len(sample)}


@requires(Permission.EDIT_CONTACTS)
@require_POST
def reading(request: SignedInRequest, pk: int) -> HttpResponse:
    """Read the file with another encoding or delimiter."""
    of, form = get_object_or_404(Import, pk=pk), ReadForm(request.POST)
    try:
        if form.is_valid():
            imports.read_again(of, **form.cleaned_data, actor=request.user)
    except (Unreadable, imports.NotNow) as error:
        messages.error(request, str(error))
    return redirect("contacts:import", pk=pk)


def _progress(of: Import) -> dict[str, object]:
    checking = of.total is None
    return {
        "of": of,
        "checking": checking,
        "running": of.status in {Import.Status.QUEUED, Import.Status.RUNNING},
        "done": of.position if checking else of.rows,
        "whole": (of.size if checking else of.total) or 1,
        "list": list_filled_by(of),
        "problems": of.problems.order_by("line")[:20],
        "most_problems": import_run.MOST_PROBLEMS,
    }


@requires(Permission.EDIT_CONTACTS)
@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the page that changes; it asks again by itself while the import runs."""
    return render(request, "console/contacts/_progress.html", _progress(get_object_or_404(Import, pk=pk)))


@requires(Permission.EDIT_CONTACTS)
@require_POST
def cancellation(request: SignedInRequest, pk: int) -> HttpResponse:
    of = get_object_or_404(Import, pk=pk)
    try:
        imports.cancel(of, actor=request.user)
    except imports.NotNow as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, _("The import was cancelled."))
    return redirect("contacts:import", pk=pk)


@requires(Permission.EXPORT)
@require_safe
def problems(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The refused rows as a file."""
    rows = ImportProblem.objects.filter(of=get_object_or_404(Import, pk=pk)).order_by("line").iterator(chunk_size=2000)
    lines = ([row.line, row.column, row.value, row.reason] for row in rows)
    return csv_export.response("refused-rows.csv", ["line", "column", "value", "reason"], lines)
