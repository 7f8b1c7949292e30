"""Dashboards ask for notices: signed by their site, answered quickly, and nothing told to anybody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.actions import products
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery.tests.factories import make_contact, make_product
from envoi.instance import actions as instance
from envoi.notices import actions, identity, queries
from envoi.notices.actions import site_keys
from envoi.notices.models import Reading, SiteKey
from envoi.notices.queries import stamps
from envoi.notices.tests.factories import make_notice
from envoi.public.tests.dashboards import SHOP, Site, make_site

pytestmark = pytest.mark.django_db
ADA = "mail:ada@example.net"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read again by the mere passing of time, nor remembered from another test."""
    for module in (stamps, identity):
        module.forget()
        monkeypatch.setattr(module, "FRESH_FOR", 3600.0)


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada", reference="C-1815")


@pytest.fixture
def shop() -> Site:
    return make_site()


def subjects(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [notice["subject"] for notice in answer.json()["notices"]]


def test_ada_is_known_by_address_reference_or_number(ada: Contact, shop: Site) -> None:
    make_notice(ada)
    for customer in ("mail:ADA@Example.net", "ref:C-1815", f"id:{ada.pk}"):
        assert subjects(shop.ask(customer)) == ["Maintenance tonight"]


def test_what_a_notice_says(ada: Contact, shop: Site) -> None:
    ends = datetime(2101, 1, 1, tzinfo=UTC)
    made = make_notice(
        ada,
        subject="Åsa & <Co>",
        body="<p>Read <b>this</b><script>alert(1)</script></p>",
        level="warning",
        must_acknowledge=True,
        link_label="More",
        link_url="https://example.org/more",
        ends_at=ends,
    )
    answer = shop.ask(ADA)
    assert answer.json() == {  # type: ignore[attr-defined]
        "notices": [
            {
                "id": made.key,
                "level": "warning",
                "subject": "Åsa & <Co>",
                "body": "<p>Read <b>this</b></p>",
                "link": {"label": "More", "url": "https://example.org/more"},
                "dismissible": False,
                "must_acknowledge": True,
                "starts_at": made.starts_at.isoformat(),
                "ends_at": "2101-01-01T00:00:00+00:00",
            }
        ],
        "more": 0,
    }
    assert answer["Content-Type"] == "application/json"
    assert "Set-Cookie" not in answer


def test_five_are_shown_and_the_rest_on_request(ada: Contact, shop: Site) -> None:
    for number in range(7):
        make_notice(ada, subject=f"Number {number}")
    answer = shop.ask(ADA)
    assert subjects(answer) == [f"Number {number}" for number in (6, 5, 4, 3, 2)]
    assert answer.json()["more"] == 2  # type: ignore[attr-defined]
    instance.change({"notices_per_dashboard": 0}, actor=None)
    assert len(subjects(shop.ask(ADA))) == len(subjects(shop.ask(ADA, "?all=1"))) == 7


def test_an_unchanged_answer_costs_no_database(
    ada: Contact, shop: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_notice(ada)
    first = shop.ask(ADA)
    with django_assert_num_queries(0):
        again = shop.ask(ADA, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])  # type: ignore[attr-defined]
    assert again["Cache-Control"] == "private, max-age=0, stale-if-error=86400"


def test_a_changed_answer_costs_five_statements(ada: Contact, shop: Site) -> None:
    for number in range(7):
        make_notice(ada, subject=f"Number {number}")
    shop.ask(ADA)
    with CaptureQueriesContext(connection) as asked:
        shop.ask(ADA)
    assert len(asked) <= 5


def test_after_a_change_the_old_answer_counts_no_more(ada: Contact, shop: Site) -> None:
    notice = make_notice(ada)
    tag = shop.ask(ADA)["ETag"]
    actions.change(notice, subject="Maintenance at eleven", actor=None)
    changed = shop.ask(ADA, headers={"If-None-Match": tag})
    assert subjects(changed) == ["Maintenance at eleven"]
    actions.withdraw(notice, actor=None)
    assert subjects(shop.ask(ADA, headers={"If-None-Match": changed["ETag"]})) == []


def test_seen_dismissed_clicked_and_acknowledged(ada: Contact, shop: Site) -> None:
    notice, grave = make_notice(ada), make_notice(ada, subject="Grave", level="error", must_acknowledge=True)
    assert shop.tell(ADA, "seen", {"ids": [notice.key, grave.key]}).status_code == 204
    assert shop.tell(ADA, f"{notice.key}/clicks").status_code == 204
    assert subjects(shop.ask(ADA)) == ["Grave", "Maintenance tonight"]
    assert shop.tell(ADA, f"{notice.key}/dismissal").status_code == 204
    assert subjects(shop.ask(ADA)) == ["Grave"]
    assert shop.tell(ADA, f"{grave.key}/dismissal").status_code == 404
    assert shop.tell(ADA, f"{grave.key}/acknowledgement").status_code == 204
    assert subjects(shop.ask(ADA)) == []
    read = Reading.objects.get(notice=notice)
    assert (read.contact, read.clicks, read.dismissed_at is not None) == (ada, 1, True)


def test_what_is_not_bobs_he_cannot_touch(ada: Contact, shop: Site) -> None:
    notice = make_notice(ada)
    make_contact("bob@example.net")
    for what in ("dismissal", "acknowledgement", "clicks"):
        assert shop.tell("mail:bob@example.net", f"{notice.key}/{what}").status_code == 404
    assert shop.tell("mail:bob@example.net", "seen", {"ids": [notice.key]}).status_code == 204
    assert not Reading.objects.exists()


@pytest.mark.parametrize("body", ['{"ids": "x"}', "[]", "nonsense", '{"ids": [1]}', '{"ids": ["\\u0000"]}'])
def test_a_body_that_cannot_be_read_is_refused(shop: Site, ada: Contact, body: str) -> None:
    answer = Client().post(
        "/n/v1/notices/seen", body, content_type="application/json", headers=shop.vouch(f"id:{ada.pk}")
    )
    assert answer.status_code == 400


def test_whatever_is_wrong_is_answered_alike_and_tells_nothing(ada: Contact, shop: Site) -> None:
    make_notice(ada)
    now = int(clock.now().timestamp())
    stranger = make_site("Stranger", "https://other.example.org")
    revoked = make_site("Old", "https://old.example.org")
    site_keys.revoke(revoked.key, actor=None)
    wrong = {"type": "about:blank", "title": "Forbidden", "status": 403}
    answers = [
        Client().get("/n/v1/notices"),
        Client().get("/n/v1/notices", headers=shop.vouch(ADA, secret="guessed")),
        Client().get("/n/v1/notices", headers=shop.vouch(ADA, expires=now - 1)),
        Client().get("/n/v1/notices", headers=shop.vouch(ADA, expires=now + 48 * 3600)),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Key": "0" * 16}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Key": stranger.key.key}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Customer": "mail:bob@example.net"}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Expires": "²"}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Expires": "9" * 5000}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "X-Envoi-Signature": "é"}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "Origin": "http://[x"}),
        Client().get("/n/v1/notices", headers={**shop.vouch(ADA), "Origin": "https://evil.example"}),
        Client().get("/n/v1/notices", headers=revoked.vouch(ADA)),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert all(answer.json() == wrong for answer in answers)
    assert all("Access-Control-Allow-Origin" not in answer for answer in answers)


def test_a_stranger_who_is_vouched_for_sees_nothing_like_a_customer_without_notices(ada: Contact, shop: Site) -> None:
    assert shop.ask("mail:nobody@example.net").content == shop.ask(ADA).content  # type: ignore[attr-defined]
    for odd in ("mail:", "ref:", "id:", "id:x", "id:99999999999999999999", "ada", "", "ref:\0"):
        assert subjects(shop.ask(odd)) == []


def test_somebody_who_becomes_a_customer_is_known_at_once(shop: Site) -> None:
    pro = make_product("Pro")
    make_notice(pro)
    assert subjects(shop.ask("mail:chloé@example.net")) == []
    from_import = make_contact("chloé@example.net")
    products.add(pro, Contact.objects.filter(pk=from_import.pk), actor=None)
    assert subjects(shop.ask("mail:chloé@example.net")) == ["Maintenance tonight"]


def test_pages_of_the_site_may_read_and_others_may_not(ada: Contact, shop: Site) -> None:
    make_notice(ada)
    assert shop.ask(ADA, headers={"Origin": SHOP})["Access-Control-Allow-Origin"] == SHOP
    preflight = Client().options("/n/v1/notices", headers={"Origin": SHOP})
    assert (preflight.status_code, preflight["Access-Control-Allow-Methods"]) == (204, "GET, POST")
    assert "X-Envoi-Signature" in preflight["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in Client().options("/n/v1/notices", headers={"Origin": "https://x.org"})


def test_envois_own_page_may_ask_from_itself_alone(ada: Contact) -> None:
    make_notice(ada)
    claim = identity.own_claim(ada.pk, int((clock.now() + timedelta(hours=1)).timestamp()))
    headers = {
        "X-Envoi-Key": claim.key,
        "X-Envoi-Customer": claim.customer,
        "X-Envoi-Expires": claim.expires,
        "X-Envoi-Signature": claim.signature,
    }
    assert (
        subjects(
            Client(HTTP_HOST="testserver").get("/n/v1/notices", headers={**headers, "Origin": "http://testserver"})
        )
        != []
    )
    assert Client().get("/n/v1/notices", headers={**headers, "Origin": SHOP}).status_code == 403


def test_while_the_database_is_away_it_says_so_and_when_to_ask_again(
    shop: Site, ada: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(contact_id: int) -> str:
        raise OperationalError("the database is away")

    monkeypatch.setattr(queries, "stamp_of", away)
    answer = shop.ask(ADA)
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (
        503,
        "30",
        "application/problem+json",
    )


def test_where_no_headers_can_be_set_the_four_words_stand_in_the_query(ada: Contact, shop: Site) -> None:
    make_notice(ada)
    said = {name.removeprefix("X-Envoi-").lower(): value for name, value in shop.vouch("id:" + str(ada.pk)).items()}
    said["customer"] = f"id:{ada.pk}"
    assert subjects(Client().get("/n/v1/notices", said)) == ["Maintenance tonight"]
    assert Client().get("/n/v1/notices", {**said, "customer": "id:1234"}).status_code == 403


def test_an_answer_without_content_tells_no_length(ada: Contact, shop: Site) -> None:
    whole = shop.ask(ADA)
    unchanged = shop.ask(ADA, headers={"If-None-Match": whole["ETag"]})
    assert (unchanged.status_code, "Content-Length" in unchanged) == (304, False)
    told = shop.tell(ADA, "seen", {"ids": []})
    assert (told.status_code, "Content-Length" in told) == (204, False)
    assert whole["Content-Length"] == str(len(whole.content))  # type: ignore[attr-defined]


def test_other_methods_are_refused(shop: Site, ada: Contact) -> None:
    answer = Client().delete("/n/v1/notices", headers=shop.vouch(ADA))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert Client().get("/n/v1/notices/seen", headers=shop.vouch(ADA)).status_code == 405


def test_the_secret_is_nowhere_to_be_read(shop: Site) -> None:
    assert shop.secret not in str(SiteKey.objects.values().get())
    assert len(shop.secret) >= 40


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://App.Example.org/", "https://app.example.org"),
        ("https://example.org:443 http://localhost:8080", "https://example.org\nhttp://localhost:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("", ""),
    ],
)
def test_addresses_of_sites_are_kept_as_browsers_say_them(typed: str, kept: str) -> None:
    assert site_keys.normalised(typed) == kept


@pytest.mark.parametrize(
    "typed", ["example.org", "*", "https://*.example.org", "javascript:alert(1)", "https://", "https://[x"]
)
def test_what_is_no_address_of_a_site_is_refused(typed: str) -> None:
    with pytest.raises(site_keys.OriginRefused):
        site_keys.normalised(typed)
