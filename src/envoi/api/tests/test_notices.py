"""Notices by the API: a program does what an editor does in the console."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry
from envoi.api.tests.factories import Program, wanted
from envoi.audiences.actions import products
from envoi.audiences.models import Audience, Membership, Product
from envoi.audiences.tests.factories import make_list, make_product
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact, Kind
from envoi.contacts.tests.factories import contact as make_contact
from envoi.core import clock
from envoi.notices import actions
from envoi.notices.models import Notice
from envoi.notices.tests.factories import make_notice, subjects

pytestmark = pytest.mark.django_db

# Numbers are not used again on PostgreSQL, whatever a test takes back: a small one is some list's sooner or later.
NOBODYS = 2**40
EMPTY: dict[str, list[object]] = {"products": [], "lists": [], "contacts": []}


@pytest.fixture
def ada() -> Contact:
    """Ada is on the product Pro."""
    contact = make_contact("ada@customer.example", first_name="Ada", reference="C-17")
    make_product("Pro", contact)
    return contact


@pytest.fixture
def bob() -> Contact:
    return make_contact("bob@customer.example", first_name="Bob")


@pytest.fixture
def program() -> Program:
    return Program()


def published(program: Program, **fields: object) -> str:
    answer = program.post("/notices", wanted(**fields))
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_program_publishes_and_ada_sees_it_at_once(program: Program, ada: Contact, bob: Contact) -> None:
    with clock.set_to(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        answer = program.post(
            "/notices",
            wanted(
                level="warning",
                body="<p>From ten o'clock on.</p><script>alert(1)</script>",
                ends_at="2026-03-02T06:00:00+01:00",
                button={"label": "More", "url": "https://status.example/"},
            ),
        )
        assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])
    assert answer.status_code == 201
    notice = Notice.objects.get()
    assert answer.json() == {
        "id": notice.key,
        "state": "shown",
        "subject": "Maintenance tonight",
        "body": "<p>From ten o'clock on.</p>",
        "level": "warning",
        "starts_at": "2026-03-01T12:00:00Z",
        "ends_at": "2026-03-02T05:00:00Z",
        "dismissible": True,
        "must_acknowledge": False,
        "button": {"label": "More", "url": "https://status.example/"},
        "fixed": False,
        "created_at": "2026-03-01T12:00:00Z",
        "changed_at": "2026-03-01T12:00:00Z",
        "withdrawn_at": None,
        "targets": {**EMPTY, "products": [{"id": Product.objects.get().pk, "name": "Pro"}]},
        "exclude": EMPTY,
    }


def test_people_find_it_in_the_console_and_the_audit_names_the_key(program: Program, ada: Contact) -> None:
    published(program)
    broadcast = Broadcast.objects.get()
    assert (broadcast.channel, broadcast.status, broadcast.created_by) == ("notice", "showing", program.owner)
    labels = set(AuditEntry.objects.exclude(verb__in=["api_key_issue"]).values_list("verb", "actor_label"))
    assert ("broadcast_show", "ada@example.org (API key Maintenance)") in labels


@pytest.mark.parametrize(
    "targets",
    [
        {"products": ["Pro"]},
        {"products": [" pro "]},
        {"lists": ["Friends"]},
        {"contacts": ["ADA@Customer.example"]},
        {"contacts": ["mail:ada@customer.example"]},
        {"contacts": ["ref:C-17"]},
        {"products": ["Pro", "Pro"], "lists": ["Friends"], "contacts": ["ada@customer.example"]},
    ],
    ids=str,
)
def test_targets_are_named_as_people_name_them(
    targets: dict[str, object], program: Program, ada: Contact, bob: Contact
) -> None:
    make_list("Friends", ada)
    published(program, targets=targets)
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])


def test_targets_are_named_by_number_too_and_exclusions_win(program: Program, ada: Contact, bob: Contact) -> None:
    friends = make_list("Friends", ada, bob)
    published(program, targets={"lists": [friends.pk], "contacts": [f"id:{ada.pk}"]}, exclude={"contacts": [bob.pk]})
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])


def test_an_address_means_every_contact_that_has_it(program: Program, ada: Contact) -> None:
    as_lead = make_contact("ada@customer.example", kind=Kind.LEAD)
    answer = program.post("/notices", wanted(targets={"contacts": ["ada@customer.example"]}))
    assert [row["id"] for row in answer.json()["targets"]["contacts"]] == [ada.pk, as_lead.pk]


def test_a_fixed_one_is_not_for_who_buys_later(program: Program, ada: Contact, bob: Contact) -> None:
    published(program, fixed=True, subject="Fixed")
    published(program, subject="Live")
    pro = Product.objects.get()
    products.add(pro, Contact.objects.filter(pk=bob.pk), Membership.Status.ACTIVE, actor=None)
    assert (set(subjects(ada)), subjects(bob)) == ({"Fixed", "Live"}, ["Live"])


def test_a_subject_may_stand_alone_but_content_is_not_lost(program: Program, ada: Contact) -> None:
    bare = program.post("/notices", wanted(body="", subject="Back at ten"))
    assert (bare.status_code, bare.json()["body"], subjects(ada)) == (201, "", ["Back at ten"])
    again = program.patch(f"/notices/{bare.json()['id']}", {"level": "error"})
    assert (again.status_code, again.json()["level"]) == (200, "error")
    full = published(program)
    emptied = program.patch(f"/notices/{full}", {"body": ""})
    assert [(one["field"], one["message"]) for one in emptied.json()["errors"]] == [("body", "Write the content.")]


def test_plain_text_becomes_paragraphs_and_stays_text(program: Program, ada: Contact) -> None:
    answer = program.post("/notices", wanted(body="", text="From 22:00 on:\nno <b>sites</b>.\n\nThank you & sorry"))
    assert answer.json()["body"] == (
        "<p>From 22:00 on:<br>no &lt;b&gt;sites&lt;/b&gt;.</p>\n\n<p>Thank you &amp; sorry</p>"
    )


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"targets": {"products": ["Pro", "Gold"]}}, [("targets.products.1", "There is no product “Gold”.")]),
        ({"targets": {"lists": [NOBODYS]}}, [("targets.lists.0", f"There is no list “{NOBODYS}”.")]),
        ({"exclude": {"contacts": ["x@y.example"]}}, [("exclude.contacts.0", "There is no contact “x@y.example”.")]),
        ({"targets": {}}, [("targets", "Name at least one product, list or contact.")]),
        (
            {"targets": {"lists": ["Nobody"]}, "fixed": True},
            [("targets", "Nobody is meant: what is targeted has no members at this moment.")],
        ),
        ({"body": "<p> </p>"}, [("body", "Write the content.")]),
        ({"subject": " "}, [("subject", "Write a subject.")]),
        (
            {"button": {"label": "Go", "url": "javascript:alert(1)"}},
            [("button.url", "Write the whole address, such as https://example.org/news.")],
        ),
        (
            {"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"},
            [("ends_at", "The end lies before the beginning.")],
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_named_by_field_and_nothing_is_left(
    fields: dict[str, object], errors: list[tuple[str, str]], program: Program, ada: Contact
) -> None:
    make_list("Nobody")
    answer = program.post("/notices", wanted(**fields))
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert [(one["field"], one["message"]) for one in answer.json()["errors"]] == errors
    assert not Notice.objects.exists()
    assert not Broadcast.objects.exists()
    assert not Audience.objects.exists()


def test_either_html_or_text(program: Program, ada: Contact) -> None:
    answer = program.post("/notices", wanted(text="also"))
    assert [one["field"] for one in answer.json()["errors"]] == ["body"]
    key = published(program)
    assert program.patch(f"/notices/{key}", {"body": "<p>a</p>", "text": "b"}).status_code == 422


def test_changed_words_are_seen_at_once_and_the_rest_stays(program: Program, ada: Contact) -> None:
    key = published(program, level="warning", button={"label": "More", "url": "https://status.example/"})
    answer = program.patch(f"/notices/{key}", {"subject": "Maintenance is over", "level": "success"})
    told = answer.json()
    assert (answer.status_code, told["subject"], told["level"]) == (200, "Maintenance is over", "success")
    assert (told["body"], told["button"]["label"]) == ("<p>From ten o'clock on.</p>", "More")
    assert subjects(ada) == ["Maintenance is over"]
    assert Broadcast.objects.get().subject == "Maintenance is over"
    assert program.patch(f"/notices/{key}", {"button": None}).json()["button"] is None


def test_ended_and_withdrawn_disappear_and_cannot_be_ended_again(program: Program, ada: Contact) -> None:
    ended, withdrawn = published(program, subject="A"), published(program, subject="B")
    assert program.post(f"/notices/{ended}/end").json()["state"] == "ended"
    assert program.post(f"/notices/{withdrawn}/withdraw").json()["state"] == "withdrawn"
    assert subjects(ada) == []
    assert set(Broadcast.objects.values_list("subject", "status")) == {("A", "finished"), ("B", "withdrawn")}
    for path in (f"/notices/{ended}/end", f"/notices/{withdrawn}/end", f"/notices/{withdrawn}/withdraw"):
        answer = program.post(path)
        assert (answer.status_code, answer.json()["code"]) == (409, "notice_over")
    assert program.patch(f"/notices/{withdrawn}", {"subject": "C"}).status_code == 409


def test_a_notice_without_a_broadcast_is_steered_too(program: Program, ada: Contact) -> None:
    notice = make_notice(ada)
    assert program.patch(f"/notices/{notice.key}", {"subject": "New"}).json()["subject"] == "New"
    assert program.post(f"/notices/{notice.key}/end").json()["state"] == "ended"
    assert program.post(f"/notices/{notice.key}/withdraw").json()["state"] == "withdrawn"


def test_the_numbers_are_of_people(program: Program, ada: Contact) -> None:
    key = published(program)
    actions.click(key, ada.pk)
    actions.click(key, ada.pk)
    actions.dismiss(key, ada.pk)
    assert program.get(f"/notices/{key}/numbers").json() == {
        "seen": 1,
        "dismissed": 1,
        "acknowledged": 0,
        "clicked": 1,
        "clicks": 2,
    }


def test_the_list_is_paged_newest_first_and_narrowed_by_state(program: Program, ada: Contact) -> None:
    now = clock.now()
    later = (now + timedelta(days=1)).isoformat()
    keys = [published(program, subject=str(number)) for number in range(4)]
    scheduled = published(program, subject="scheduled", starts_at=later)
    program.post(f"/notices/{keys[0]}/end")
    program.post(f"/notices/{keys[1]}/withdraw")
    found, cursor = [], ""
    while cursor is not None:
        page = program.get(f"/notices?limit=2&cursor={cursor}").json()
        found += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert found == [scheduled, *reversed(keys)]
    by_state = {
        state: [row["id"] for row in program.get(f"/notices?state={state}").json()["items"]]
        for state in ("scheduled", "shown", "ended", "withdrawn")
    }
    assert by_state == {
        "scheduled": [scheduled],
        "shown": [keys[3], keys[2]],
        "ended": [keys[0]],
        "withdrawn": [keys[1]],
    }


def test_a_page_takes_two_statements_however_many_rows(
    program: Program, ada: Contact, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        published(program, subject=str(number))
    program.get("/notices")
    with django_assert_num_queries(2):
        assert len(program.get("/notices?limit=5").json()["items"]) == 5


def test_no_key_of_a_notice_is_guessed_into_a_fault(program: Program) -> None:
    for key in ("0123456789abcdef", "1", "%00", "x" * 5000):
        answer = program.get(f"/notices/{key}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
