from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.core.wording import said
from envoi.delivery.models import Delivery
from envoi.delivery.tests.factories import make_mailing
from envoi.tracking import automated, spool
from envoi.tracking.actions import flush
from envoi.tracking.actions.flush import flush_spool
from envoi.tracking.actions.relabel import relabel
from envoi.tracking.models import Activity
from envoi.tracking.spool import Hit
from envoi.tracking.tests.factories import BROWSER, make_link, make_sent

pytestmark = pytest.mark.django_db


def hit(delivery: Delivery, number: int = 1, link: int | None = None, seconds: float = 0, **values: Any) -> Hit:
    made = Hit(
        uid=f"{number:032x}",
        type="click" if link else "open",
        delivery_id=delivery.pk,
        link_id=link,
        at=clock.now() + timedelta(seconds=seconds),
        user_agent=BROWSER,
        ip="203.0.113.0",
    )
    return replace(made, **values)


def waiting(*hits: Hit) -> None:
    for each in hits:
        spool.append(each)


def test_an_open_and_a_click_become_facts_with_all_that_is_known() -> None:
    ada = make_sent()
    link = make_link(ada.mailing)
    waiting(hit(ada, 1), hit(ada, 2, link.pk, method="HEAD"))
    assert flush_spool() == 2
    opened, clicked = Activity.objects.order_by("uid")
    assert (opened.type, opened.mailing_id, opened.delivery_id, opened.link_id) == (
        "open",
        ada.mailing_id,
        ada.pk,
        None,
    )
    assert (opened.user_agent, opened.ip, opened.automated, opened.detail) == (BROWSER, "203.0.113.0", "", "")
    assert (clicked.type, clicked.link_id, clicked.automated, clicked.detail) == ("click", link.pk, "head", "HEAD")


def test_a_hit_stored_before_its_flusher_was_killed_is_not_stored_again() -> None:
    ada = make_sent()
    waiting(hit(ada, 1))
    flush_spool()
    waiting(hit(ada, 1), hit(ada, 1), hit(ada, 2))
    assert flush_spool() == 1
    assert Activity.objects.count() == 2


@pytest.mark.fault("F12")
def test_hits_wait_while_the_database_is_away(own_spool: Any) -> None:
    ada = make_sent()
    waiting(hit(ada, 1))
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        flush_spool()
    assert Activity.objects.count() == 0
    assert flush_spool() == 1


def test_the_thread_that_stores_hits_outlives_all_trouble_and_tells_each_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = Event()
    troubles = [
        OperationalError("gone"),
        OperationalError("gone"),
        OSError("disk full"),
        None,
        OperationalError("gone"),
    ]

    def flush_spool() -> int:
        trouble = troubles.pop(0)
        if not troubles:
            stopped.set()
        if trouble:
            raise trouble
        return 0

    monkeypatch.setattr(flush, "flush_spool", flush_spool)
    monkeypatch.setattr(flush, "close_old_connections", lambda: None)
    flush.flush_until(stopped, seconds=0.001)
    assert [message.rpartition(": ")[2] for message in caplog.messages] == ["gone", "disk full", "gone"]


def test_hits_of_what_is_gone_or_of_another_mailing_are_left_out() -> None:
    ada, bob = make_sent("ada@example.org"), make_sent("bob@example.org")
    bobs_link = make_link(bob.mailing)
    gone = replace(hit(ada, 1), delivery_id=ada.pk + 1000)
    waiting(gone, hit(ada, 2, bobs_link.pk), hit(ada, 3, bobs_link.pk + 1000))
    assert (flush_spool(), Activity.objects.count()) == (0, 0)


def test_nothing_is_kept_of_what_an_erased_person_opens() -> None:
    ada, bob = make_sent("ada@example.org"), make_sent("bob@example.org")
    Suppression.objects.create(address_key="ada@example.org", reason=Suppression.Reason.ERASED)
    Suppression.objects.create(address_key="bob@example.org", reason=Suppression.Reason.UNSUBSCRIBED)
    waiting(hit(ada, 1), hit(bob, 2))
    assert flush_spool() == 1
    assert Activity.objects.get().delivery == bob


def test_the_number_of_statements_does_not_grow_with_the_hits(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    mailing = make_mailing(*(f"reader{number}@example.org" for number in range(60)))
    link = make_link(mailing)
    for number, delivery in enumerate(mailing.deliveries.all()):
        waiting(hit(delivery, number, link.pk))
    with django_assert_max_num_queries(9):
        assert flush_spool() == 60


def test_proxies_and_machines_are_marked_and_kept() -> None:
    ada = make_sent()
    agents = {
        "Mozilla/5.0": automated.APPLE_PRIVACY,
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)": "google_proxy",
        "YahooMailProxy; https://help.yahoo.com/kb": automated.YAHOO_PROXY,
        "": automated.NO_AGENT,
        BROWSER: "",
    }
    waiting(*(hit(ada, number, user_agent=agent) for number, agent in enumerate(agents)))
    flush_spool()
    assert dict(Activity.objects.values_list("user_agent", "automated")) == agents


def test_an_open_within_a_second_of_the_delivery_is_a_machines() -> None:
    ada = make_sent()
    waiting(replace(hit(ada, 1), at=ada.state_at + timedelta(milliseconds=400)))
    flush_spool()
    assert Activity.objects.get().automated == automated.TOO_FAST


def test_links_followed_together_are_a_scanner_even_when_they_are_stored_apart() -> None:
    ada = make_sent()
    first, second, third = (make_link(ada.mailing, position=position) for position in (1, 2, 3))
    waiting(hit(ada, 1, first.pk, 0), hit(ada, 2, second.pk, 0.4))
    flush_spool()
    assert set(Activity.objects.values_list("automated", flat=True)) == {""}
    waiting(hit(ada, 3, third.pk, 0.8), hit(ada, 4, first.pk, 90))
    flush_spool()
    found = Activity.objects.order_by("uid").values_list("automated", flat=True)
    assert list(found) == ["many_links", "many_links", "many_links", ""]


def test_labels_can_be_computed_again_from_the_facts() -> None:
    ada, bob = make_sent("ada@example.org"), make_sent("bob@example.org")
    waiting(hit(ada, 1, user_agent="Mozilla/5.0"), hit(ada, 2), hit(bob, 3, user_agent="curl/8"))
    flush_spool()
    before = dict(Activity.objects.values_list("uid", "automated"))
    Activity.objects.update(automated="wrong")
    assert relabel(ada.mailing, actor=None) == 2
    assert relabel(bob.mailing, actor=None) == 1
    assert dict(Activity.objects.values_list("uid", "automated")) == before
    assert relabel(ada.mailing, actor=None) == 0


def away(execute: Callable[..., Any], *arguments: Any) -> Any:
    """Every statement fails as if the server were gone."""
    raise OperationalError("the connection was lost")


def test_whoever_opens_a_message_of_unknown_outcome_has_got_it() -> None:
    ada = make_sent()
    Delivery.objects.update(state=Delivery.State.UNKNOWN)
    waiting(hit(ada))
    assert flush_spool() == 1
    ada.refresh_from_db()
    assert (ada.state, said(ada.detail)) == ("sent", "It was opened or a link in it followed, so it had arrived.")
