"""The pages of layouts."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import Role, User
from envoi.content.models import Layout

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    return client


@pytest.fixture
def layout() -> Layout:
    return Layout.objects.create(name="Plain", html="<p>top</p>{{ content }}")


def test_the_list_costs_the_same_however_many_layouts_there_are(
    editor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Layout.objects.bulk_create(Layout(name=f"L{number:03}", html="{{ content }}") for number in range(60))

    with django_assert_max_num_queries(6):
        answer = editor.get(reverse("layouts:list"))

    assert len(answer.context["page"].rows) == 50


def test_eva_writes_a_layout(editor: Client) -> None:
    answer = editor.post(reverse("layouts:new"), {"name": "Mine", "html": "<b>{{ content }}</b>", "text": ""})

    made = Layout.objects.get(name="Mine")
    assert answer.headers["Location"] == reverse("layouts:edit", args=[made.pk])
    assert made.html == "<b>{{ content }}</b>"


def test_faults_are_shown_with_their_lines_and_what_was_written_stays(editor: Client, layout: Layout) -> None:
    answer = editor.post(
        reverse("layouts:edit", args=[layout.pk]), {"name": "Plain", "html": "x\n{{ contact.frist_name }}{{ content }}"}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 2: There is no merge tag “contact.frist_name”. Did you mean “contact.first_name”?" in page
    assert "{{ contact.frist_name }}" in page
    layout.refresh_from_db()
    assert layout.html == "<p>top</p>{{ content }}"


def test_the_preview_is_a_page_that_can_do_nothing(editor: Client, layout: Layout) -> None:
    answer = editor.get(reverse("layouts:preview", args=[layout.pk]))

    assert "<p>top</p>" in answer.content.decode()
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_copy_default_and_delete(editor: Client, layout: Layout) -> None:
    editor.post(reverse("layouts:copy", args=[layout.pk]))
    editor.post(reverse("layouts:make-default", args=[layout.pk]))
    editor.post(reverse("layouts:delete", args=[layout.pk]))

    assert list(Layout.objects.order_by("name").values_list("name", "is_default")) == [
        ("Envoi", False),
        ("Plain", True),
        ("Plain 2", False),
    ]


def test_a_viewer_looks_but_changes_nothing(client: Client, layout: Layout) -> None:
    client.force_login(User.objects.create_user("vik@example.org", role=Role.VIEWER))
    written = {"name": "X", "html": "{{ content }}"}

    assert client.get(reverse("layouts:list")).status_code == 200
    assert client.get(reverse("layouts:edit", args=[layout.pk])).status_code == 200
    assert client.get(reverse("layouts:preview", args=[layout.pk])).status_code == 200
    assert client.get(reverse("layouts:new")).status_code == 403
    assert client.post(reverse("layouts:edit", args=[layout.pk]), written).status_code == 403
    for name in ("copy", "make-default", "delete"):
        assert client.post(reverse(f"layouts:{name}", args=[layout.pk])).status_code == 403
    assert list(Layout.objects.filter(pk=layout.pk).values_list("name", "html")) == [("Plain", layout.html)]


@pytest.mark.parametrize("name", ["copy", "make-default", "delete"])
def test_get_changes_nothing(editor: Client, layout: Layout, name: str) -> None:
    assert editor.get(reverse(f"layouts:{name}", args=[layout.pk])).status_code == 405
    assert Layout.objects.count() == 2
