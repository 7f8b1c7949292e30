"""Who receives the mail of a domain: asked of a DNS server on this machine, once."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from envoi.core import clock
from envoi.core.tasks.testing import run_due
from envoi.delivery.actions.mail_domains import look_up_domains
from envoi.delivery.events import MailingStarted
from envoi.delivery.limits.mx import look_up
from envoi.delivery.listeners import started
from envoi.delivery.models import MailDomain, Transport
from envoi.delivery.queries.mail_domains import forget, groups, unknown_domains
from envoi.delivery.tests.factories import make_mailing, make_transport

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = {
    "school.test.se.": ["10 mailin.telia.com.", "20 backup.telia.com."],
    "shop.fr.": ["20 mx2.shop.fr.", "5 aspmx.l.google.com."],
    "null.org.": ["0 ."],
}


class Answering(socketserver.BaseRequestHandler):
    """Answers from `ZONE`; names that begin with “silent” get no answer, others do not exist."""

    def handle(self) -> None:
        packet, link = self.request
        question = dns.message.from_wire(packet)
        name = question.question[0].name.to_text()
        asked.append(name)
        if name.startswith("silent"):
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if name in ZONE:
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", *ZONE[name]))
        elif name != "bare.org.":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        link.sendto(answer.to_wire(), self.client_address)


asked: list[str] = []


@pytest.fixture
def resolver() -> Iterator[dns.asyncresolver.Resolver]:
    asked.clear()
    forget()
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        made = dns.asyncresolver.Resolver(configure=False)
        made.nameservers, made.port, made.timeout = ["127.0.0.1"], server.server_address[1], 0.2
        yield made
        server.shutdown()
        thread.join()
    forget()


@pytest.mark.fault("F29")
def test_records_are_found_and_what_nobody_answers_is_left_out(
    resolver: dns.asyncresolver.Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoi.delivery.limits.mx.SECONDS_EACH", 0.5)

    found = look_up(["shop.fr", "null.org", "gone.org", "bare.org", "silent.org", "no..name"], resolver)

    assert sorted(found.pop("shop.fr")) == [(5, "aspmx.l.google.com"), (20, "mx2.shop.fr")]
    assert found == {"null.org": [(0, "")], "gone.org": [], "bare.org": []}


@pytest.mark.django_db
def test_the_domains_of_a_mailing_are_asked_for_once(resolver: dns.asyncresolver.Resolver) -> None:
    people = ["ada@school.test.se", "bob@school.test.se", "chloé@shop.fr", "d@gmail.com", "e@example.org", "f@gone.org"]
    mailing = make_mailing(*people)

    with clock.set_to(NOON):
        assert look_up_domains(mailing, resolver) == 3
        assert look_up_domains(mailing, resolver) == 0

    assert sorted(asked) == ["gone.org.", "school.test.se.", "shop.fr."]
    assert list(MailDomain.objects.order_by("name").values_list("name", "provider", "mx", "checked_at")) == [
        ("gone.org", "gone.org", "", NOON),
        ("school.test.se", "telia.com", "mailin.telia.com", NOON),
        ("shop.fr", "google.com", "aspmx.l.google.com", NOON),
    ]
    domains = ["school.test.se", "shop.fr", "gmail.com", "never.seen"]
    assert groups(domains) == {
        "school.test.se": "telia.com",
        "shop.fr": "google.com",
        "gmail.com": "google.com",
        "never.seen": "never.seen",
    }


@pytest.mark.django_db
def test_after_a_month_a_domain_is_asked_for_again() -> None:
    mailing = make_mailing("ada@school.test.se")
    MailDomain.objects.create(name="school.test.se", provider="telia.com", checked_at=NOON)

    with clock.set_to(NOON + timedelta(days=30)):
        assert unknown_domains(mailing, 10) == []
    with clock.set_to(NOON + timedelta(days=31)):
        assert unknown_domains(mailing, 10) == ["school.test.se"]


@pytest.mark.django_db
def test_domains_are_read_in_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envoi.delivery.queries.mail_domains.STRIDE", 3)
    mailing = make_mailing(*(f"p{number}@d{number}.se" for number in range(10)))
    make_mailing("bob@elsewhere.se")

    assert unknown_domains(mailing, 100) == sorted(f"d{number}.se" for number in range(10))
    assert len(unknown_domains(mailing, 4)) == 4


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "tasks"), [(Transport.Kind.SMTP, 1), (Transport.Kind.SANDBOX, 0)])
def test_a_started_mailing_orders_the_look_up_unless_all_goes_to_the_sandbox(kind: str, tasks: int) -> None:
    mailing = make_mailing("ada@example.org", transport=make_transport(kind=kind))

    with clock.set_to(NOON):
        started(MailingStarted(mailing.pk))
        assert run_due() == 0
    with clock.set_to(NOON + timedelta(seconds=15)):
        assert run_due() == tasks
    assert not MailDomain.objects.exists()
