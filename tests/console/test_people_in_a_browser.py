"""Contacts, lists, products and imports in a real browser: accessible, at 360 px too, and quick to use."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, Route, expect

from envoi.audiences.tests.factories import make_list, make_product
from envoi.contacts.actions import fields, suppressions
from envoi.contacts.models import Contact, Import, Suppression
from envoi.contacts.tests.factories import contact, received
from envoi.content.tests.test_corpora import payloads
from envoi.core.tasks.testing import run_due
from tests.browser import SMALL, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SignedIn = Callable[..., Visit]
CSV = "E-mail;Prénom;Pointure\n" + "".join(f"p{n}@example.org;P{n};{n}\n" for n in range(30)) + "wrong;Bob;1\n"


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    return tmp_path


def organisation() -> list[str]:
    """A small organisation; the addresses of its pages."""
    people = [contact(f"p{n}@example.org", first_name=f"P{n}", organisation="Räksmörgås AB") for n in range(60)]
    friends, basic = make_list("Friends", *people), make_product("Basic", *people)
    make_list("Nobody yet")
    fields.add("Shoe size", actor=None)
    suppressions.suppress("p1@example.org", Suppression.Reason.COMPLAINT, source="a reader", actor=None)
    waiting, broken = received(CSV), received("email\n" + "x\n" * 3)
    Import.objects.filter(pk=broken.pk).update(status=Import.Status.FAILED, problem="It could not be read.", total=3)
    broken.problems.create(line=2, column="email", value="x", reason="It is none.")
    return [
        *(reverse(f"contacts:{name}") for name in ("list", "new", "suppressions", "imports", "import-new", "fields")),
        *(reverse(f"contacts:{name}", args=[people[1].pk]) for name in ("show", "edit")),
        *(reverse("contacts:import", args=[one.pk]) for one in (waiting, broken)),
        *(reverse(f"audiences:{name}") for name in ("lists", "products", "list-new")),
        reverse("audiences:list", args=[friends.pk]),
        reverse("audiences:product", args=[basic.pk]),
        reverse("audiences:membership", args=[basic.memberships.earliest("id").pk]),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(signed_in: SignedIn, theme: str) -> None:
    visit = signed_in(theme=theme)
    for address in organisation():
        visit.open(address)
        visit.assert_accessible()


def test_every_page_fits_a_small_telephone(signed_in: SignedIn) -> None:
    visit = signed_in()
    visit.page.set_viewport_size(SMALL)
    for address in organisation():
        visit.open(address)
        visit.assert_fits()


def test_people_are_found_while_one_types_and_put_on_a_list_and_off_again(signed_in: SignedIn) -> None:
    visit = signed_in()
    organisation()
    contact("asa@example.org", first_name="Åsa")
    page = visit.open(reverse("contacts:list"))
    page.get_by_role("searchbox").press_sequentially("asa")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=asa"))
    page.get_by_role("checkbox", name="Tick Åsa").check()
    page.get_by_label("List", exact=True).select_option(label="Friends")
    page.get_by_role("button", name="Put on the list").click()
    expect(page.locator("#toasts")).to_contain_text("1 contact was put on “Friends”.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("1 contact was taken off “Friends”.")


def test_a_file_is_imported_from_choosing_it_to_its_refused_row(signed_in: SignedIn, tmp_path: Path) -> None:
    visit = signed_in()
    path = tmp_path / "people.csv"
    path.write_bytes(CSV.encode("cp1252"))
    page = visit.open(reverse("contacts:import-new"))
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Read the file").click()
    visit.ready()
    expect(page.get_by_label("Encoding")).to_have_value("cp1252")
    page.get_by_label("Pointure").select_option(label="A new field of this name")
    page.get_by_label("Put them on a list").select_option("new")
    page.get_by_label("Name of the new list").fill("Members")
    page.get_by_role("button", name="Start the import").click()
    expect(page.get_by_text("It starts as soon as a worker is free.")).to_be_visible()
    run_due()
    expect(page.get_by_role("link", name="To the list Members")).to_be_visible()
    expect(page.get_by_role("row", name="32 E-mail wrong")).to_be_visible()
    assert Contact.objects.get(address="p7@example.org").fields == {"pointure": "7"}
    visit.assert_accessible()


def test_no_payload_in_a_name_runs(signed_in: SignedIn) -> None:
    visit = signed_in()
    ran: list[str] = []

    def noticed(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    visit.page.on("dialog", noticed)
    chosen = payloads()[:90]
    people = [
        contact(f"p{n}@example.org", first_name=text[:200].strip(), organisation=text[:200].strip(), fields={"x": text})
        for n, text in enumerate(chosen)
    ]
    friends = make_list(" ".join(chosen[0].split())[:150], *people)
    visit.open(reverse("contacts:list"))
    visit.open(reverse("audiences:list", args=[friends.pk]))
    for person in people[::6]:
        visit.open(reverse("contacts:show", args=[person.pk]))
    page = visit.open(reverse("audiences:list", args=[friends.pk]))
    page.get_by_role("checkbox", name="Tick all on this page").check()
    page.get_by_role("button", name="Take off the list").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert ran == []


def test_a_late_answer_to_what_stood_in_the_field_before_offers_nobody(signed_in: SignedIn) -> None:
    contact("chloe@example.org", first_name="Chloé")
    contact("dmitri@example.org", first_name="Dmitri")
    visit = signed_in()
    page = visit.open(reverse("audiences:list", args=[make_list("Friends").pk]))
    held: list[Route] = []
    page.route(re.compile(r"[?&]q=$"), lambda route: held.append(route))
    page.get_by_role("combobox", name="Put contacts on the list").focus()
    with page.expect_response(re.compile("q=Chlo$")):
        page.keyboard.type("Chlo")
    expect(page.locator(".option.active")).to_contain_text("Chloé")
    with page.expect_response(re.compile("q=$")):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator(".option")).to_have_count(1)
    expect(page.locator(".option.active")).to_contain_text("Chloé")
