"""See a draft, or what was sent, as one reader gets it; and send it to oneself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from envoi.accounts.permissions import Permission
from envoi.audiences.queries import read_targets, target_labels
from envoi.broadcasts import noticing, showing
from envoi.broadcasts.actions.try_out import send_test
from envoi.broadcasts.errors import BroadcastError
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common
from envoi.console.broadcasts.forms import TestForm
from envoi.console.forms import Form
from envoi.contacts.models import Contact
from envoi.content import isolated
from envoi.content.problems import ContentError
from envoi.notices import cleaning
from envoi.notices.models import Level


class Reader(forms.Select):
    """One contact, chosen by typing."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        chosen = target_labels(read_targets(value))
        return [(None, [self.create_option(name, one.id, one.text, True, 0) for one in chosen], 0)]


class PreviewForm(Form):
    """As whom, in which form, how wide."""

    reader = forms.CharField(
        label=_("As"),
        required=False,
        widget=Reader({"data-typeahead": reverse_lazy("broadcasts:target-choices", query={"kind": "contact"})}),
    )
    view = forms.ChoiceField(
        label=_("Show"), required=False, choices=[("html", "HTML"), ("text", _("Text")), ("raw", _("Raw"))]
    )
    width = forms.ChoiceField(
        label=_("Width"), required=False, choices=[("desktop", _("Desktop")), ("phone", _("Phone"))]
    )


@requires(Permission.VIEW)
@require_safe
def pane(request: HttpRequest, pk: int) -> HttpResponse:
    """The message as a named contact gets it."""
    broadcast = common.found(pk)
    as_email = request.GET.get("as") == "email"
    if noticing.is_notice(broadcast) and not (as_email and noticing.wants_email(broadcast)):
        return _notice_pane(request, broadcast)
    reader = _reader(request, broadcast)
    shown = {"view": request.GET.get("view", "html"), "width": request.GET.get("width", "desktop")}
    initial = {**shown, "reader": f"contact-{reader.pk}" if reader else ""}
    context: dict[str, object] = {"broadcast": broadcast, "form": PreviewForm(initial=initial), **shown}
    query = {"as": "email"} if as_email else {}
    context["action"] = reverse("broadcasts:preview", kwargs={"pk": pk}, query=query)
    try:
        context |= {"message": showing.message(broadcast, reader)}
    except ContentError as error:
        context["problems"] = error.problems
    query = {"reader": initial["reader"]} if reader else {}
    context["document_url"] = reverse("broadcasts:preview-document", kwargs={"pk": pk}, query=query)
    name = "preview" if getattr(request, "htmx", False) else "preview_page"
    return render(request, f"console/broadcasts/wizard/{name}.html", context)


@requires(Permission.VIEW)
@require_safe
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """The message's HTML alone, for the frame of the preview: nothing in it can run or reach the console."""
    broadcast = common.found(pk)
    try:
        html = showing.message(broadcast, _reader(request, broadcast)).html
    except ContentError as error:
        html = "".join(format_html("<p>{}</p>", problem.message) for problem in error.problems)
    return isolated.document(html)


def _notice_pane(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    context = {"broadcast": broadcast, "with_email": noticing.wants_email(broadcast)}
    name = "notice_preview" if getattr(request, "htmx", False) else "notice_preview_page"
    return render(request, f"console/broadcasts/wizard/{name}.html", context)


@requires(Permission.VIEW)
@require_safe
def notice_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice on a dashboard, a draft's also in the three other looks: shut off from the console."""
    broadcast = common.found(pk)
    if not noticing.is_notice(broadcast):
        raise Http404
    notice = noticing.notice_of(broadcast)
    if not cleaning.is_web_address(notice.link_url):
        notice.link_url = ""  # a draft may hold anything
    own, *others = sorted(Level, key=lambda level: level != notice.level)
    context = {"notice": notice, "own": own, "others": others if broadcast.is_draft else []}
    return isolated.document(render_to_string("console/broadcasts/notice/document.html", context))


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def test_message(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send it to a few addresses now, and show what the server answers."""
    broadcast = common.found(pk)
    form, results = TestForm(request.POST), []
    if form.is_valid():
        try:
            reader = _reader(request, broadcast)
            results = send_test(broadcast, form.cleaned_data["addresses"], reader, actor=request.user)
        except BroadcastError as error:
            form.add_error(None, str(error))
    context = {"broadcast": broadcast, "form": form, "results": results}
    return render(request, "console/broadcasts/wizard/test.html", context)


def _reader(request: HttpRequest, broadcast: Broadcast) -> Contact | None:
    asked = read_targets([request.POST.get("reader") or request.GET.get("reader", "")]).contacts
    return Contact.objects.filter(pk__in=asked).first() or showing.somebody(broadcast)
