"""What is done to many contacts at once: those that are ticked, or all that the search finds."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from envoi.accounts.permissions import Permission
from envoi.audiences.actions import lists
from envoi.audiences.models import List
from envoi.console.access import SignedInRequest, requires
from envoi.console.contacts.search import Search
from envoi.contacts import queries
from envoi.contacts.actions import contacts
from envoi.contacts.models import Contact

MOST_TICKED = 1000


def ticked(given: Iterable[str]) -> list[int]:
    return [int(value) for value in given if value.isascii() and value.isdigit() and len(value) < 19][:MOST_TICKED]


def chosen(request: SignedInRequest) -> QuerySet[Contact]:
    """The contacts a form means: `everybody` and the `search`, or each `contact`."""
    if request.POST.get("everybody"):
        return Search.read(QueryDict(request.POST.get("search", ""))).results()
    return queries.by_ids(ticked(request.POST.getlist("contact")))


def back(request: SignedInRequest) -> HttpResponse:
    """To the search, as it was."""
    search = Search.read(QueryDict(request.POST.get("search", "")))
    return redirect(f"{reverse('contacts:list')}?{search.query}")


def with_undo(request: SignedInRequest, text: str, url: str, ids: Iterable[int]) -> None:
    """A message with a button that does the opposite (to the same contacts, where some are meant)."""
    fields = format_html_join("", '<input type="hidden" name="contact" value="{}">', ((key,) for key in ids))
    messages.success(
        request,
        format_html(
            '{} <form method="post" action="{}" class="d-inline">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}">{}'
            '<button class="btn btn-sm btn-link p-0 align-baseline">{}</button></form>',
            text,
            url,
            get_token(request),
            fields,
            _("Undo"),
        ),
    )


@requires(Permission.EDIT_CONTACTS)
@require_POST
def add_to_list(request: SignedInRequest) -> HttpResponse:
    key = request.POST.get("list", "")
    if not key.isdigit():
        messages.warning(request, _("Choose the list first."))
        return back(request)
    target = get_object_or_404(List, pk=int(key))
    people = chosen(request)
    tell_added(request, target, people, everybody=bool(request.POST.get("everybody")))
    return back(request)


def tell_added(request: SignedInRequest, target: List, people: QuerySet[Contact], *, everybody: bool = False) -> None:
    """Put people on a list and say how many came; a few can be taken off again at once."""
    standing = target.subscriptions.values("contact")
    fresh = [] if everybody else list(people.exclude(pk__in=standing).values_list("id", flat=True))
    added = lists.add(target, people, actor=request.user)
    text = ngettext("%(count)d contact was put on “%(list)s”.", "%(count)d contacts were put on “%(list)s”.", added) % {
        "count": added,
        "list": target,
    }
    if fresh:
        with_undo(request, text, reverse("audiences:list-removal", args=[target.pk]), fresh)
    else:
        messages.success(request, text)


@requires(Permission.EDIT_CONTACTS)
@require_POST
def deletion(request: SignedInRequest) -> HttpResponse:
    """Asks with the exact number first, then deletes."""
    people = chosen(request)
    if not request.POST.get("confirmed"):
        context = {
            "count": people.count(),
            "some": people.order_by("last_name", "first_name", "id")[:5],
            "ids": [] if request.POST.get("everybody") else ticked(request.POST.getlist("contact")),
            "everybody": request.POST.get("everybody", ""),
            "search": Search.read(QueryDict(request.POST.get("search", ""))),
        }
        return render(request, "console/contacts/deletion.html", context)
    count = contacts.delete_many(people, actor=request.user)
    text = ngettext("%(count)d contact was deleted.", "%(count)d contacts were deleted.", count) % {"count": count}
    messages.success(request, text)
    return redirect("contacts:list")
