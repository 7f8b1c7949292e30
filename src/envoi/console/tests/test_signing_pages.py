"""An owner makes a DKIM key, puts its record into DNS, and turns it on."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry, Role, User
from envoi.delivery import dkim
from envoi.delivery.actions import signing
from envoi.delivery.dkim import records
from envoi.delivery.models import DkimKey, SenderIdentity
from envoi.delivery.tests.factories import make_transport

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_user("olga@example.org", role=Role.OWNER))
    return client


@pytest.fixture
def key() -> DkimKey:
    return signing.make("lantern.se", DkimKey.Algorithm.ED25519, actor=None)


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What DNS holds: nothing, until a test puts something in."""
    held: dict[str, list[str]] = {}

    def check(asked: DkimKey, resolve: records.Resolve = records.txt) -> records.Finding:
        return looked_up(asked, lambda name: held.get(name, []))

    looked_up = records.check
    monkeypatch.setattr(records, "check", check)
    monkeypatch.setattr(dkim, "check", check)
    return held


def page_of(key: DkimKey, name: str = "dkim-key") -> str:
    return reverse(f"settings:{name}", args=[key.pk])


def said(answer: HttpResponseBase) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


def test_a_key_is_made_for_the_senders_domain_and_shows_its_record_alone(owner: Client) -> None:
    SenderIdentity.objects.create(from_address="news@Lantern.se", transport=make_transport(), is_default=True)

    form = owner.get(reverse("settings:dkim-key-new")).context["form"]
    answer = owner.post(reverse("settings:dkim-key-new"), form.initial | {"selector": ""})

    made = DkimKey.objects.get()
    assert (made.domain, made.selector, made.algorithm, made.is_active) == ("lantern.se", "envoi1", "rsa", False)
    assert answer["Location"] == page_of(made)
    page = owner.get(page_of(made)).content.decode()
    assert "envoi1._domainkey.lantern.se" in page
    assert f"v=DKIM1; k=rsa; p={made.public}" in page.replace("&#x3D;", "=")
    assert made.private_encrypted not in page
    assert AuditEntry.objects.filter(verb="create", subject_type="delivery.dkimkey").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"domain": "not a domain"}, "domain"), ({"selector": "a b"}, "selector"), ({"algorithm": "dsa"}, "algorithm")],
)
def test_a_key_that_cannot_be_made_names_its_field(owner: Client, changes: dict[str, str], field: str) -> None:
    answer = owner.post(
        reverse("settings:dkim-key-new"), {"domain": "lantern.se", "algorithm": "ed25519", "selector": ""} | changes
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not DkimKey.objects.exists()


def test_a_key_without_its_record_is_turned_on_only_by_whoever_insists(
    owner: Client, key: DkimKey, dns: dict[str, list[str]]
) -> None:
    refused = owner.post(page_of(key, "dkim-key-activation"))

    page = refused.content.decode()
    assert refused.status_code == 409
    assert "The key was not turned on" in page
    assert "There is no TXT record envoi1._domainkey.lantern.se yet" in page
    assert not DkimKey.objects.get().is_active

    owner.post(page_of(key, "dkim-key-activation"), {"anyway": "1"})

    assert DkimKey.objects.get().is_active


def test_a_key_whose_record_is_there_signs_until_it_is_turned_off_and_removed(
    owner: Client, key: DkimKey, dns: dict[str, list[str]]
) -> None:
    dns["envoi1._domainkey.lantern.se"] = [dkim.record(key).value]

    checked = owner.post(page_of(key, "dkim-key-check")).content.decode()
    turned_on = owner.post(page_of(key, "dkim-key-activation"))
    kept = owner.post(page_of(key, "dkim-key-removal"), follow=True).content.decode()

    assert "The record in DNS matches the key." in checked
    assert said(turned_on) == "Messages from lantern.se are signed with it."
    assert "Turn the key off first" in kept
    assert DkimKey.objects.get().is_active

    owner.post(page_of(key, "dkim-key-deactivation"))
    assert not DkimKey.objects.get().is_active
    gone = owner.post(page_of(key, "dkim-key-removal"))

    assert gone["Location"] == reverse("settings:dkim-keys")
    assert not DkimKey.objects.exists()
    verbs = AuditEntry.objects.filter(actor_label="olga@example.org").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["turn_on", "turn_off", "delete"]


def test_another_record_is_shown_as_it_stands(owner: Client, key: DkimKey, dns: dict[str, list[str]]) -> None:
    dns["envoi1._domainkey.lantern.se"] = ["v=DKIM1; k=ed25519; p=<b>other</b>"]

    page = owner.post(page_of(key, "dkim-key-check")).content.decode()

    assert "The record holds another key" in page
    assert "&lt;b&gt;other&lt;/b&gt;" in page


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_may(client: Client, key: DkimKey, role: str) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=role))

    for name in ("check", "activation", "deactivation", "removal"):
        assert client.post(page_of(key, f"dkim-key-{name}"), {"anyway": "1"}).status_code == 403
    assert client.get(page_of(key)).status_code == 403
    assert not DkimKey.objects.get().is_active


def test_the_list_asks_the_database_little(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    DkimKey.objects.bulk_create(
        DkimKey(domain="lantern.se", selector=f"s{number}", private_encrypted="x", public="y") for number in range(40)
    )

    with django_assert_max_num_queries(6):
        page = owner.get(reverse("settings:dkim-keys")).content.decode()

    assert "s39" in page
