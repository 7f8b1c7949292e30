"""People find, change, import and export contacts in the console."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry, Role, User
from envoi.audiences.actions import lists
from envoi.audiences.models import List, Subscription
from envoi.contacts.actions import suppressions
from envoi.contacts.models import Contact, FieldDefinition, Import, Suppression
from envoi.contacts.tests.factories import contact
from envoi.core.tasks.testing import run_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(User.objects.create_user("vik@example.org", role=Role.VIEWER))
    return client


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    return tmp_path


def said(answer: HttpResponseBase) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


def names(client: Client, query: str) -> list[str]:
    return [row.first_name for row in client.get(reverse("contacts:list") + query).context["page"].rows]


def test_an_empty_house_says_what_to_do(editor: Client) -> None:
    page = editor.get(reverse("contacts:list")).content.decode()
    assert "No contacts yet" in page
    assert reverse("contacts:import-new") in page


def test_asa_is_found_without_her_ring_and_by_part_of_her_organisation(viewer: Client) -> None:
    contact("asa@example.org", first_name="Åsa", organisation="Räksmörgås AB", language="sv")
    contact("bob@example.org", first_name="Bob", organisation="Frites NV", language="nl", kind="lead")
    assert names(viewer, "?q=asa+raks") == ["Åsa"]
    assert names(viewer, "?q=ÅSA") == ["Åsa"]
    assert names(viewer, "?q=bob@exa") == ["Bob"]
    assert names(viewer, "?kind=lead") == ["Bob"]
    assert names(viewer, "?language=sv") == ["Åsa"]
    assert names(viewer, "?q=%25") == []
    assert names(viewer, "?sort=name") == ["Bob", "Åsa"]
    assert names(viewer, "?sort=-address") == ["Bob", "Åsa"]
    assert names(viewer, "?kind=robot&list=x&product=9999999999999999999&sort=no&cursor=no") == ["Bob", "Åsa"]


def test_people_are_found_by_list_and_by_whether_they_may_be_mailed(viewer: Client) -> None:
    ada, _bob = contact("ada@example.org", first_name="Ada"), contact("bob@example.org", first_name="Bob")
    friends = lists.create("Friends", actor=None)
    lists.add(friends, Contact.objects.filter(pk=ada.pk), actor=None)
    suppressions.suppress("bob@example.org", Suppression.Reason.MANUAL, actor=None)
    assert names(viewer, f"?list={friends.pk}") == ["Ada"]
    assert names(viewer, "?suppressed=yes") == ["Bob"]
    assert names(viewer, "?suppressed=no") == ["Ada"]


def test_typing_asks_for_the_table_alone(viewer: Client) -> None:
    contact(first_name="Ada")
    answer = viewer.get(reverse("contacts:list") + "?q=ada", headers={"HX-Request": "true", "HX-Target": "results"})
    assert "<html" not in answer.content.decode()
    assert "ada@example.org" in answer.content.decode()


def test_a_contact_is_added_with_a_further_field_and_recorded(editor: Client) -> None:
    FieldDefinition.objects.create(key="shoe_size", label="Shoe size", type="number")
    values = {"kind": "lead", "address": " Ada@Example.ORG ", "first_name": "Ada", "field:shoe_size": "37.5"}
    answer = editor.post(reverse("contacts:new"), values)
    ada = Contact.objects.get()
    assert answer["Location"] == reverse("contacts:show", args=[ada.pk])
    assert (ada.kind, ada.address, ada.fields) == ("lead", "Ada@example.org", {"shoe_size": 37.5})
    assert list(AuditEntry.objects.values_list("actor_label", "verb")) == [("eva@example.org", "contact_create")]


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"address": "ada@"}, "address", "is not an e-mail address"),
        ({"address": "bob@example.org"}, "address", "already a contact of this kind"),
        ({"address": "ada@example.org", "field:shoe_size": "big"}, "field:shoe_size", "not a number"),
        ({"address": "ada@example.org", "first_name": "x" * 201}, "first_name", "200"),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_nothing_is_kept(
    editor: Client, values: dict[str, str], field: str, words: str
) -> None:
    FieldDefinition.objects.create(key="shoe_size", label="Shoe size", type="number")
    contact("bob@example.org")
    answer = editor.post(reverse("contacts:new"), {"kind": "contact", **values})
    assert words in str(answer.context["form"].errors[field])
    assert Contact.objects.count() == 1


def test_a_contact_is_changed_and_deleted(editor: Client) -> None:
    ada = contact(first_name="Ada", city="London")
    editor.post(reverse("contacts:edit", args=[ada.pk]), {"kind": "account", "address": "ada@example.net"})
    ada.refresh_from_db()
    assert (ada.kind, ada.address_key, ada.first_name, ada.city) == ("account", "ada@example.net", "", "")
    assert names(editor, "?q=ada@example.net") == [""]
    editor.post(reverse("contacts:deletion", args=[ada.pk]))
    assert not Contact.objects.exists()


def test_ticked_people_come_on_a_list_and_off_again_by_undo(editor: Client) -> None:
    ada, bob = contact("ada@example.org"), contact("bob@example.org")
    friends = lists.create("Friends", actor=None)
    lists.add(friends, Contact.objects.filter(pk=bob.pk), actor=None)
    answer = editor.post(reverse("contacts:selection-list"), {"contact": [ada.pk, bob.pk], "list": friends.pk})
    assert "1 contact was put on “Friends”." in said(answer)
    assert f'name="contact" value="{ada.pk}"' in said(answer)
    assert f'value="{bob.pk}"' not in said(answer)
    editor.post(reverse("audiences:list-removal", args=[friends.pk]), {"contact": [ada.pk]})
    assert list(friends.subscriptions.values_list("contact", flat=True)) == [bob.pk]


def test_everybody_a_search_finds_comes_on_a_list(editor: Client) -> None:
    for number in range(60):
        contact(f"p{number}@example.org", language="sv" if number else "fr")
    friends = lists.create("Friends", actor=None)
    editor.post(reverse("contacts:selection-list"), {"everybody": "yes", "search": "language=sv", "list": friends.pk})
    assert friends.subscriptions.count() == 59


def test_deleting_many_asks_with_the_number_first(editor: Client) -> None:
    for number in range(3):
        contact(f"p{number}@example.org", language="sv" if number else "fr")
    chosen = {"everybody": "yes", "search": "language=sv"}
    asked = editor.post(reverse("contacts:selection-deletion"), chosen)
    assert "Delete 2 contacts?" in asked.content.decode()
    assert Contact.objects.count() == 3
    editor.post(reverse("contacts:selection-deletion"), {**chosen, "confirmed": "yes"})
    assert list(Contact.objects.values_list("address", flat=True)) == ["p0@example.org"]
    editor.post(reverse("contacts:selection-deletion"), {"confirmed": "yes"})
    assert Contact.objects.count() == 1


def test_an_address_is_suppressed_and_lifted(editor: Client) -> None:
    ada = contact()
    editor.post(reverse("contacts:suppression", args=[ada.pk]))
    assert "never mailed" in editor.get(reverse("contacts:show", args=[ada.pk])).content.decode()
    suppression = Suppression.objects.get()
    editor.post(reverse("contacts:suppression-lift", args=[suppression.pk]), {"contact": ada.pk})
    assert not Suppression.objects.exists()
    refused = editor.post(reverse("contacts:suppression-new"), {"address": "nobody"})
    assert "not an e-mail address" in str(refused.context["form"].errors["address"])
    editor.post(reverse("contacts:suppression-new"), {"address": "Bob@Example.org", "source": "phone call"})
    assert list(Suppression.objects.values_list("address_key", "reason", "source")) == [
        ("bob@example.org", "manual", "phone call")
    ]
    exported = b"".join(editor.get(reverse("contacts:suppressions-export"))).decode()
    assert "bob@example.org,manual,phone call," in exported


def test_a_file_goes_from_the_page_to_a_new_list(editor: Client) -> None:
    file = BytesIO("E-mail;Prénom\nada@example.org;Ada\nwrong;Bob\n".encode("cp1252"))
    file.name = "été.csv"
    page = editor.post(reverse("contacts:import-new"), {"file": file})
    of = Import.objects.get()
    assert page["Location"] == reverse("contacts:import", args=[of.pk])
    shown = editor.get(page["Location"])
    assert shown.context["forecast"].new == 1
    assert [row.reason for row in shown.context["forecast"].problems] == [
        "“wrong” is not an e-mail address. It has no @ sign."
    ]
    assert not Contact.objects.exists()
    values = {"column-0": "address", "column-1": "first_name", "kind": "lead", "target": "new", "new_list": "Friends"}
    editor.post(page["Location"], values)
    assert "worker" in editor.get(page["Location"]).content.decode()
    run_due()
    done = editor.get(reverse("contacts:import-progress", args=[of.pk])).content.decode()
    assert "Finished" in done
    assert "hx-get" not in done
    assert list(Subscription.objects.values_list("list__name", "contact__address", "contact__kind", "status")) == [
        ("Friends", "ada@example.org", "lead", "confirmed")
    ]
    problems = b"".join(editor.get(reverse("contacts:import-problems", args=[of.pk]))).decode()
    assert problems.splitlines()[1].startswith("3,E-mail,wrong,")


def test_an_import_with_a_taken_list_name_starts_nothing(editor: Client) -> None:
    lists.create("Friends", actor=None)
    file = BytesIO(b"email\nada@example.org\n")
    file.name = "a.csv"
    page = editor.post(reverse("contacts:import-new"), {"file": file})
    answer = editor.post(
        page["Location"], {"column-0": "address", "kind": "contact", "target": "new", "new_list": "Friends"}
    )
    assert "already a list named" in str(answer.context["form"].errors["new_list"])
    answer = editor.post(page["Location"], {"column-0": "", "kind": "contact", "target": ""})
    assert "Say which column holds the e-mail address" in str(answer.context["form"].non_field_errors())
    assert run_due() == 0
    assert List.objects.count() == 1
    assert Import.objects.get().status == Import.Status.MAPPING


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04"])
def test_a_file_that_is_no_csv_is_refused_on_the_page(editor: Client, content: bytes) -> None:
    file = BytesIO(content)
    file.name = "a.xlsx"
    answer = editor.post(reverse("contacts:import-new"), {"file": file})
    assert answer.context["form"].errors["file"]
    assert not Import.objects.exists()


def test_an_unsubscribed_person_stays_so_when_imported_again(editor: Client) -> None:
    ada = contact()
    friends = lists.create("Friends", actor=None)
    Subscription.objects.create(list=friends, contact=ada, status=Subscription.Status.UNSUBSCRIBED)
    lists.add(friends, Contact.objects.all(), actor=None)
    assert Subscription.objects.get().status == Subscription.Status.UNSUBSCRIBED


def test_a_viewer_sees_and_changes_nothing(viewer: Client) -> None:
    ada = contact()
    for name in ("contacts:new", "contacts:import-new", "contacts:imports", "contacts:export", "contacts:fields"):
        assert viewer.get(reverse(name)).status_code == 403
    for address in (
        reverse("contacts:deletion", args=[ada.pk]),
        reverse("contacts:suppression", args=[ada.pk]),
        reverse("contacts:selection-deletion"),
        reverse("contacts:selection-list"),
    ):
        assert viewer.post(address, {"contact": ada.pk, "confirmed": "yes"}).status_code == 403
    page = viewer.get(reverse("contacts:show", args=[ada.pk])).content.decode()
    assert reverse("contacts:edit", args=[ada.pk]) not in page
    assert Contact.objects.count() == 1
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("size", [1, 60])
def test_pages_cost_the_same_however_many_there_are(
    editor: Client, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(size):
        contact(f"p{number}@example.org", language=f"l{number}")
        suppressions.suppress(f"p{number}@example.org", Suppression.Reason.MANUAL, actor=None)
    shown = reverse("contacts:show", args=[Contact.objects.values_list("id", flat=True)[0]])
    with django_assert_max_num_queries(9):
        editor.get(reverse("contacts:list"))
    with django_assert_max_num_queries(9):
        editor.get(shown)
    with django_assert_max_num_queries(4):
        editor.get(reverse("contacts:suppressions"))
    with django_assert_max_num_queries(4):
        editor.get(reverse("contacts:imports"))


def test_pages_follow_each_other_without_a_gap(viewer: Client) -> None:
    for number in range(120):
        contact(f"p{number:03}@example.org", first_name=f"{number:03}")
    url, seen = "?sort=address", []
    while url:
        page = viewer.get(reverse("contacts:list") + url).context["page"]
        seen += [row.first_name for row in page.rows]
        url = f"?sort=address&cursor={page.next}" if page.next else ""
    assert seen == [f"{number:03}" for number in range(120)]
