"""People look at what the sandbox mailbox received."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import Role, User
from envoi.delivery.sandbox.store import Mailbox, Received, mailbox

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
XSS = "<script>alert(1)</script>"
RAW = (
    "From: Envoi <news@example.org>\r\nSubject: Offer {xss}\r\n"
    "List-Unsubscribe: <http://localhost:8025/u/abc>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Åsa {xss}\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    "<html><head></head><body><p>Dear Åsa</p>{xss}</body></html>\r\n"
    "--b--\r\n"
)


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    settings.ENVOI_BASE_URL = "http://localhost:8025"
    return tmp_path


@pytest.fixture
def box() -> Mailbox:
    return mailbox()


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(User.objects.create_user("vik@example.org", role=Role.VIEWER))
    return client


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    return client


def arrived(box: Mailbox, *addresses: str) -> list[int]:
    return list(box.add([Received(NOON, "b@example.org", to, RAW.format(xss=XSS).encode()) for to in addresses]))


def test_an_empty_mailbox_says_what_to_do_next(viewer: Client) -> None:
    answer = viewer.get(reverse("sandbox:list"))

    assert answer.status_code == 200
    assert "Nothing here yet" in answer.content.decode()
    assert "The sandbox mailbox is not running" in answer.content.decode()


def test_the_list_shows_and_finds_messages(viewer: Client, box: Mailbox) -> None:
    arrived(box, "ada@example.net", "åsa@example.net")

    everything = viewer.get(reverse("sandbox:list")).content.decode()
    found = viewer.get(reverse("sandbox:list") + "?q=ÅSA").content.decode()

    assert "ada@example.net" in everything
    assert XSS not in everything
    assert "åsa@example.net" in found
    assert "ada@example.net" not in found


def test_the_list_asks_the_database_little(
    viewer: Client, box: Mailbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    arrived(box, *(f"person{number}@example.net" for number in range(60)))

    with django_assert_max_num_queries(4):
        answer = viewer.get(reverse("sandbox:list"))

    assert len(answer.context["page"].rows) == 50


def test_a_list_that_refreshes_itself_is_answered_only_when_something_came(viewer: Client, box: Mailbox) -> None:
    (first,) = arrived(box, "ada@example.net")
    address = f"{reverse('sandbox:list')}?newest={first}"

    unchanged = viewer.get(address, headers={"HX-Request": "true", "HX-Target": "messages"})
    arrived(box, "bob@example.net")
    changed = viewer.get(address, headers={"HX-Request": "true", "HX-Target": "messages"})

    assert (unchanged.status_code, unchanged.content) == (204, b"")
    assert "bob@example.net" in changed.content.decode()
    assert "<html" not in changed.content.decode()


@pytest.mark.parametrize("view", ["html", "text", "headers", "source", "nonsense"])
def test_every_view_of_a_message_is_shown_and_harmless(viewer: Client, box: Mailbox, view: str) -> None:
    (number,) = arrived(box, "ada@example.net")

    page = viewer.get(reverse("sandbox:message", args=[number]), {"view": view}).content.decode()

    assert XSS not in page
    assert "&lt;script&gt;" in page
    assert 'action="/u/abc"' in page
    if view == "html":
        assert f'src="{reverse("sandbox:document", args=[number])}"' in page
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    if view == "text":
        assert "Dear Åsa" in page


def test_the_message_in_its_frame_can_run_nothing(viewer: Client, box: Mailbox) -> None:
    (number,) = arrived(box, "ada@example.net")

    answer = viewer.get(reverse("sandbox:document", args=[number]))

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src 'none'" in policy
    assert "<p>Dear Åsa</p>" in answer.content.decode()


def test_the_button_of_a_foreign_address_is_not_offered(viewer: Client, box: Mailbox) -> None:
    raw = RAW.replace("http://localhost:8025/u/abc", "https://elsewhere.example/u/abc").format(xss="").encode()
    (number,) = box.add([Received(NOON, "", "ada@example.net", raw)])

    page = viewer.get(reverse("sandbox:message", args=[number])).content.decode()

    assert "One-Click" not in page
    assert "https://elsewhere.example/u/abc" in page


def test_a_message_is_downloaded_as_it_came(viewer: Client, box: Mailbox) -> None:
    (number,) = arrived(box, "ada@example.net")

    answer = viewer.get(reverse("sandbox:download", args=[number]))

    assert answer.content == RAW.format(xss=XSS).encode()
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="message-{number}.eml"'


def test_newer_and_older_lead_on(viewer: Client, box: Mailbox) -> None:
    one, two, three = arrived(box, "ada@example.net", "bob@example.net", "ada@example.org")

    page = viewer.get(reverse("sandbox:message", args=[two])).content.decode()
    searched = viewer.get(reverse("sandbox:message", args=[one]), {"q": "ada"}).content.decode()

    assert reverse("sandbox:message", args=[one]) in page
    assert reverse("sandbox:message", args=[three]) in page
    assert f"{reverse('sandbox:message', args=[three])}?q=ada" in searched


def test_an_editor_deletes_one_or_all_and_a_viewer_neither(client: Client, box: Mailbox) -> None:
    one, two = arrived(box, "ada@example.net", "bob@example.net")
    viewer = User.objects.create_user("vik@example.org", role=Role.VIEWER)
    editor = User.objects.create_user("eva@example.org", role=Role.EDITOR)

    client.force_login(viewer)
    assert client.post(reverse("sandbox:deletion")).status_code == 403
    assert "Delete" not in client.get(reverse("sandbox:list")).content.decode()
    assert box.count() == 2

    client.force_login(editor)
    assert client.get(reverse("sandbox:deletion")).status_code == 405
    client.post(reverse("sandbox:message-deletion", args=[one]))
    assert [row.id for row in box.list().rows] == [two]
    client.post(reverse("sandbox:deletion"))
    assert box.count() == 0


def test_what_is_not_there_is_not_found(viewer: Client) -> None:
    for name in ("message", "document", "download"):
        assert viewer.get(reverse(f"sandbox:{name}", args=[7])).status_code == 404


def test_a_damaged_mailbox_is_named_with_the_remedy(viewer: Client, data_folder: Path) -> None:
    (data_folder / "sandbox.sqlite3").write_bytes(b"this is no database" * 100)

    answer = viewer.get(reverse("sandbox:list"))

    assert answer.status_code == 503
    assert "sandbox.sqlite3" in answer.content.decode()
