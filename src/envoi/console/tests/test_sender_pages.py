"""An owner adds senders, shares their mail out among transports, and lets a new one begin slowly."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry, Role, User
from envoi.broadcasts.tests.factories import make_draft
from envoi.delivery.actions import setup
from envoi.delivery.models import DkimKey, Route, SenderIdentity, Transport
from envoi.delivery.tests.factories import make_mailing, make_transport

pytestmark = pytest.mark.django_db

Values = dict[str, str]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_user("olga@example.org", role=Role.OWNER))
    return client


def page_of(identity: SenderIdentity, name: str = "sender") -> str:
    return reverse(f"settings:{name}", args=[identity.pk])


def values(transport: Transport, **changes: str) -> Values:
    given = {"from_name": "Åsa", "from_address": "news@lantern.se", "reply_to": "", "transport": str(transport.pk)}
    return {**given, "weight": "1", **changes}


def add(client: Client, given: Values) -> HttpResponseBase:
    return client.post(reverse("settings:sender-new"), given)


def said(answer: HttpResponseBase) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


def test_the_first_sender_is_the_default_and_a_second_is_not(owner: Client) -> None:
    main = make_transport("Main")

    first = add(owner, values(main))
    add(owner, values(main, from_address="shop@lantern.se", reply_to="help@lantern.se"))

    assert first["Location"] == reverse("settings:sending")
    assert [(one.from_address, one.is_default) for one in SenderIdentity.objects.order_by("pk")] == [
        ("news@lantern.se", True),
        ("shop@lantern.se", False),
    ]
    assert SenderIdentity.objects.get(from_address="shop@lantern.se").reply_to == "help@lantern.se"
    assert AuditEntry.objects.filter(verb="create", subject_type="delivery.senderidentity").count() == 2


def test_mail_is_shared_out_among_transports(owner: Client) -> None:
    identity = setup.ensure_defaults()
    main, fast, spare = identity.transport, make_transport("Fast"), make_transport("Spare")
    own = {f"use_{main.pk}": "on", f"weight_{main.pk}": "9"}
    further = {f"use_{fast.pk}": "on", f"weight_{fast.pk}": "3", f"use_{spare.pk}": "on", f"weight_{spare.pk}": "0"}

    owner.post(page_of(identity), values(main, weight="2", **own, **further))

    identity.refresh_from_db()
    assert (identity.transport, identity.weight) == (main, 2)
    routes = set(identity.routes.values_list("transport__name", "weight"))
    assert routes == {("Fast", 3), ("Spare", 0)}
    form = owner.get(page_of(identity)).context["form"]
    assert [form[f"weight_{one.pk}"].value() for one in (fast, spare)] == [3, 0]
    assert [form[f"use_{one.pk}"].value() for one in (main, fast, spare)] == [None, True, True]
    overview = owner.get(reverse("settings:sending")).content.decode()
    assert "Fast" in overview
    assert "Spare" in overview

    kept = Route.objects.get(transport=spare).pk
    owner.post(page_of(identity), values(main, **{f"use_{spare.pk}": "on", f"weight_{spare.pk}": "1"}))

    assert list(identity.routes.values_list("pk", "weight")) == [(kept, 1)]


def test_a_warm_up_is_planned_and_shown_day_by_day(owner: Client) -> None:
    identity = setup.ensure_defaults()
    plan = {"warm_up": "on", "warm_up_from": "2026-11-23", "warm_up_first": "1000", "warm_up_growth": "100"}

    owner.post(page_of(identity), values(identity.transport, **plan, warm_up_until="5000"))
    preview = owner.get(reverse("settings:warm-up-preview"), plan | {"warm_up_until": "3000"})

    identity.refresh_from_db()
    assert (identity.warm_up_from, identity.warm_up_first) == (date(2026, 11, 23), 1000)
    assert (identity.warm_up_growth, identity.warm_up_until) == (100, 5000)
    days = owner.get(page_of(identity)).context["days"]
    assert days == [("23 Nov 2026", "1,000"), ("24 Nov 2026", "2,000"), ("25 Nov 2026", "4,000")]
    assert preview.context["days"] == days[:2]

    owner.post(page_of(identity), values(identity.transport, **plan | {"warm_up": ""}, warm_up_until="5000"))

    identity.refresh_from_db()
    assert identity.warm_up_from is None
    assert identity.warm_up_first == 1000


def test_a_preview_of_numbers_that_do_not_fit_is_empty(owner: Client) -> None:
    answer = owner.get(reverse("settings:warm-up-preview"), {"warm_up_from": "soon", "warm_up_first": "x"})

    assert answer.status_code == 200
    assert answer.context["days"] == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"from_address": "nobody"}, "from_address", "is not an e-mail address"),
        ({"from_address": ""}, "from_address", "required"),
        ({"reply_to": "a@b@c"}, "reply_to", "is not an e-mail address"),
        ({"from_name": "Ada\x07"}, "from_name", "control characters"),
        ({"transport": "999999"}, "transport", "Select a valid choice"),
        ({"transport": ""}, "transport", "required"),
        ({"weight": "0"}, "weight", "At least one transport needs a share above 0"),
        ({"weight": "-1"}, "weight", "greater than or equal to 0"),
        ({"warm_up": "on"}, "warm_up_from", "Choose the first day"),
        ({"warm_up": "on", "warm_up_from": "soon"}, "warm_up_from", "Enter a valid date"),
        (
            {"warm_up": "on", "warm_up_from": "2026-11-23", "warm_up_first": "500", "warm_up_until": "100"},
            "warm_up_until",
            "at least as many as on the first day",
        ),
        (
            {"warm_up": "on", "warm_up_from": "2026-11-23", "warm_up_growth": "5000"},
            "warm_up_growth",
            "from 1 to 1000 percent",
        ),
    ],
)
def test_a_wrong_setting_names_its_field_and_nothing_is_stored(
    owner: Client, changes: Values, field: str, words: str
) -> None:
    main = make_transport("Main")

    answer = add(owner, values(main) | changes)

    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])  # type: ignore[attr-defined]
    assert not SenderIdentity.objects.exists()


def test_without_a_transport_one_is_led_there_first(owner: Client) -> None:
    page = owner.get(reverse("settings:sender-new")).content.decode()

    assert "A sender needs a transport" in page
    assert reverse("settings:transport-new") in page


@pytest.mark.parametrize(
    ("address", "words"), [("ada@gmail.com", "free mailbox provider"), ("news@example.org", "is a placeholder")]
)
def test_a_sender_that_will_not_arrive_is_doubted(owner: Client, address: str, words: str) -> None:
    add(owner, values(make_transport("Main"), from_address=address))

    assert words in owner.get(page_of(SenderIdentity.objects.get())).content.decode()
    assert "text-warning" in owner.get(reverse("settings:sending")).content.decode()


def test_another_sender_becomes_the_default(owner: Client) -> None:
    first = setup.ensure_defaults()
    add(owner, values(first.transport, from_address="shop@lantern.se"))
    shop = SenderIdentity.objects.get(from_address="shop@lantern.se")

    answer = owner.post(page_of(shop, "sender-default"))
    owner.post(page_of(shop, "sender-default"))

    assert said(answer).endswith("New broadcasts come from Åsa <shop@lantern.se>.")
    assert list(SenderIdentity.objects.filter(is_default=True)) == [shop]
    assert AuditEntry.objects.filter(verb="make_default").count() == 1


def test_a_sender_from_which_nothing_came_is_removed(owner: Client) -> None:
    first = setup.ensure_defaults()
    add(owner, values(first.transport, from_address="shop@lantern.se"))
    shop = SenderIdentity.objects.get(from_address="shop@lantern.se")
    Route.objects.create(identity=shop, transport=make_transport("Spare"))

    answer = owner.post(page_of(shop, "sender-removal"))

    assert said(answer).endswith("Åsa <shop@lantern.se> is removed.")
    assert list(SenderIdentity.objects.all()) == [first]
    assert Transport.objects.filter(name="Spare").exists()


def test_a_sender_that_something_needs_stays(owner: Client) -> None:
    default = setup.ensure_defaults()
    sent = make_mailing().identity
    drafted = make_draft().identity
    assert drafted is not None

    said_of = {}
    for identity in (default, sent, drafted):
        page = owner.post(page_of(identity, "sender-removal"), follow=True).content.decode()
        said_of[identity] = page

    assert "It is the default" in said_of[default]
    assert "Broadcasts were sent from it" in said_of[sent]
    assert "A draft uses it" in said_of[drafted]
    assert SenderIdentity.objects.count() == 3
    assert not AuditEntry.objects.filter(verb="delete").exists()


def test_a_sender_says_whether_its_domain_is_signed(owner: Client) -> None:
    add(owner, values(make_transport("Main")))
    identity = SenderIdentity.objects.get()

    unsigned = owner.get(page_of(identity)).content.decode()
    key = DkimKey.objects.create(domain="lantern.se", selector="envoi1", private_encrypted="x", public="y")
    off = owner.get(page_of(identity)).content.decode()
    DkimKey.objects.update(is_active=True)
    on = owner.get(page_of(identity)).content.decode()

    assert f"{reverse('settings:dkim-key-new')}?domain=lantern.se" in unsigned
    assert "not turned on" in off
    assert reverse("settings:dkim-key", args=[key.pk]) in off
    assert "Messages from lantern.se are signed" in on


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_may(client: Client, role: str) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=role))
    identity = setup.ensure_defaults()

    for name in ("sender", "sender-default", "sender-removal"):
        assert client.post(page_of(identity, name), values(identity.transport)).status_code == 403
    assert add(client, values(identity.transport)).status_code == 403
    assert SenderIdentity.objects.get().from_name == ""


def test_the_page_asks_the_database_little(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    identity = setup.ensure_defaults()
    for number in range(8):
        Route.objects.create(identity=identity, transport=make_transport(f"Spare {number}"))

    with django_assert_max_num_queries(10):
        owner.get(page_of(identity))
