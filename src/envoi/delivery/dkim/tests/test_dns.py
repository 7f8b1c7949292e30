"""Asking DNS, against a name server on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from envoi.delivery.dkim.records import LookupUnanswered, txt

LONG = "v=DKIM1; k=rsa; p=" + "A" * 392
HELD = {
    "long._domainkey.example.org.": [f'"{LONG[:255]}" "{LONG[255:]}"'],
    "two._domainkey.example.org.": ['"v=DKIM1; p=A"', '"v=spf1 -all"'],
    "odd._domainkey.example.org.": ['"p=\\255"'],
}


class NameServer(threading.Thread):
    """Knows HELD, has no TXT at “empty”, and is at a loss about “broken”."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self) -> None:
        while True:
            question, sender = self.socket.recvfrom(4096)
            if question == b"stop":
                return
            self.socket.sendto(answer(dns.message.from_wire(question)).to_wire(), sender)

    def stop(self) -> None:
        self.socket.sendto(b"stop", self.socket.getsockname())
        self.join()
        self.socket.close()


def answer(question: dns.message.Message) -> dns.message.Message:
    given = dns.message.make_response(question)
    assert isinstance(given, dns.message.QueryMessage)
    name = question.question[0].name
    if texts := HELD.get(name.to_text()):
        given.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
    elif name.to_text().startswith("broken"):
        given.set_rcode(dns.rcode.SERVFAIL)
    elif not name.to_text().startswith("empty"):
        given.set_rcode(dns.rcode.NXDOMAIN)
    return given


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    server.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield server
    server.stop()


def test_the_strings_of_a_record_are_joined_without_blanks() -> None:
    assert txt("long._domainkey.example.org") == [LONG]


def test_every_record_is_given() -> None:
    assert sorted(txt("two._domainkey.example.org")) == ["v=DKIM1; p=A", "v=spf1 -all"]


def test_what_is_no_text_is_given_all_the_same() -> None:
    assert txt("odd._domainkey.example.org") == ["p=\ufffd"]


@pytest.mark.parametrize("name", ["none._domainkey.example.org", "empty._domainkey.example.org"])
def test_there_is_none(name: str) -> None:
    assert txt(name) == []


@pytest.mark.parametrize("name", ["broken._domainkey.example.org", f"{'a' * 64}.example.org"])
def test_no_answer_is_told_from_no_record(name: str) -> None:
    with pytest.raises(LookupUnanswered):
        txt(name)
