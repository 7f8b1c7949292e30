"""Keys from making them to removing them, what DNS must hold, and who signs when."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

import pytest
from django.core import serializers

from envoi.accounts.models import AuditEntry
from envoi.accounts.tests.factories import a_user
from envoi.core import secrets
from envoi.delivery import dkim
from envoi.delivery.actions import signing
from envoi.delivery.dkim import keypairs
from envoi.delivery.dkim.records import Answer, LookupUnanswered, Resolve, check, record
from envoi.delivery.dkim.tests.messages import AT, ED25519, MESSAGE, RSA, verified
from envoi.delivery.models import DkimKey

pytestmark = pytest.mark.django_db


def dns(records: Mapping[str, str | list[str]]) -> Resolve:
    def found(name: str) -> list[str]:
        held = records.get(name, [])
        return [held] if isinstance(held, str) else held

    return found


def in_dns(*keys: DkimKey) -> dict[str, str]:
    return {record(key).name: record(key).value for key in keys}


def make(algorithm: str = ED25519, domain: str = "example.org") -> DkimKey:
    return signing.make(domain, algorithm, actor=None)


def test_a_new_key_signs_nothing_until_it_is_turned_on() -> None:
    key = make()
    assert (key.domain, key.selector, key.is_active) == ("example.org", "envoi1", False)
    assert dkim.signer() is None
    assert dkim.sign_one(MESSAGE, AT) == MESSAGE
    signing.turn_on(key, resolve=dns(in_dns(key)), actor=None)
    assert verified(dkim.sign_one(MESSAGE, AT), in_dns(key)) == [True]
    signing.turn_off(key, actor=None)
    assert dkim.signer() is None


def test_both_keys_of_a_domain_sign_and_those_of_another_do_not() -> None:
    keys = [make(ED25519), make(RSA), make(ED25519, "example.com")]
    for key in keys:
        signing.turn_on(key, anyway=True, resolve=dns({}), actor=None)
    signed = dkim.sign_one(MESSAGE, AT)
    assert verified(signed, in_dns(*keys)) == [True, True]
    assert signed.index(b"a=rsa-sha256") < signed.index(b"a=ed25519-sha256")
    assert b"example.com" not in signed


def test_the_record_of_an_rsa_key_comes_in_pieces_that_dns_can_carry() -> None:
    key = make(RSA)
    wanted = record(key)
    assert wanted.name == "envoi1._domainkey.example.org"
    assert wanted.value == f"v=DKIM1; k=rsa; p={key.public}"
    assert "".join(wanted.strings) == wanted.value
    assert [len(piece) for piece in wanted.strings] == [255, len(wanted.value) - 255]
    assert wanted.zone_line == f'envoi1._domainkey.example.org. TXT "{wanted.strings[0]}" "{wanted.strings[1]}"'


def test_the_record_of_an_ed25519_key_holds_the_bare_key() -> None:
    key = make()
    assert record(key).strings == (f"v=DKIM1; k=ed25519; p={key.public}",)
    assert len(b64decode(key.public)) == 32


def answers(key: DkimKey) -> list[tuple[str | list[str], Answer]]:
    good = record(key).value
    return [
        (good, Answer.MATCH),
        (f"k={key.algorithm};p={key.public[:9]} {key.public[9:]} ;t=y:s;;n=our key", Answer.MATCH),
        (f"{good}; h=sha1:sha256; s=email", Answer.MATCH),
        ([], Answer.MISSING),
        (f"{good}; h=sha1", Answer.DIFFERENT),
        (f"{good}; s=tlsrpt", Answer.DIFFERENT),
        (f"v=DKIM2; p={key.public}", Answer.DIFFERENT),
        (f"v=DKIM1; p={key.public}", Answer.DIFFERENT),
        (f"v=DKIM1; k={key.algorithm}; p=", Answer.DIFFERENT),
        (f"v=DKIM1; k={key.algorithm}; p={key.public.swapcase()}", Answer.DIFFERENT),
        ("v=spf1 -all", Answer.DIFFERENT),
        ([good, "v=spf1 -all"], Answer.DIFFERENT),
    ]


@pytest.mark.parametrize("case", range(12))
def test_what_dns_holds_is_told_apart(case: int) -> None:
    key = make()
    held, answer = answers(key)[case]
    finding = check(key, dns({record(key).name: held}))
    assert finding.answer is answer
    assert finding.matches == (answer is Answer.MATCH)
    assert finding.found == tuple([held] if isinstance(held, str) else held)


def test_a_record_without_k_is_an_rsa_key() -> None:
    key = make(RSA)
    assert check(key, dns({record(key).name: f"p={key.public}"})).matches


def test_dns_that_does_not_answer_is_no_missing_record() -> None:
    def silent(name: str) -> list[str]:
        raise LookupUnanswered("timed out")

    key = make()
    finding = check(key, silent)
    assert (finding.answer, finding.matches) == (Answer.UNANSWERED, False)
    assert finding.explanation == f"DNS did not answer when asked for {key}. Try again."


def test_without_its_record_a_key_is_turned_on_only_by_somebody_who_says_so() -> None:
    key, ada = make(), a_user()
    with pytest.raises(signing.RecordUnconfirmed, match=r"no TXT record envoi1\._domainkey\.example\.org yet") as no:
        signing.turn_on(key, resolve=dns({}), actor=ada)
    assert no.value.finding.answer is Answer.MISSING
    assert not DkimKey.objects.filter(is_active=True).exists()
    finding = signing.turn_on(key, anyway=True, resolve=dns({}), actor=ada)
    assert not finding.matches
    assert key.is_active
    entry = AuditEntry.objects.get(verb="turn_on")
    assert (entry.actor, entry.subject_label, entry.details) == (ada, str(key), {"dns": "missing"})


def test_turning_on_what_is_on_changes_and_records_nothing() -> None:
    key = make()
    for _ in range(2):
        signing.turn_on(key, resolve=dns(in_dns(key)), actor=None)
    assert AuditEntry.objects.filter(verb="turn_on").count() == 1


def test_a_key_that_signs_cannot_be_removed_and_a_removed_one_is_gone() -> None:
    key, ada = make(), a_user()
    signing.turn_on(key, resolve=dns(in_dns(key)), actor=ada)
    with pytest.raises(signing.KeyInUse, match="Turn the key off first"):
        signing.remove(key, actor=ada)
    signing.turn_off(key, actor=ada)
    signing.remove(key, actor=ada)
    signing.remove(key, actor=ada)
    assert not DkimKey.objects.exists()
    verbs = AuditEntry.objects.filter(subject_label="envoi1._domainkey.example.org").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == ["create", "turn_on", "turn_off", "delete"]


def test_the_private_key_is_nowhere_to_be_read() -> None:
    key = make(RSA)
    signing.turn_on(key, anyway=True, resolve=dns({}), actor=None)
    private = keypairs.signing_key("example.org", "envoi1", opened(key))
    assert private.algorithm == "rsa-sha256"
    stored = serializers.serialize("json", DkimKey.objects.all())
    seen = [
        stored,
        str(AuditEntry.objects.values_list("details", flat=True)),
        str(key),
        str(record(key)),
        repr(private),
    ]
    for start in range(0, len(opened(key)) - 24, 24):
        assert all(opened(key)[start : start + 24] not in text for text in seen)
    assert key.private_encrypted.startswith("v1.")


def opened(key: DkimKey) -> str:
    return secrets.decrypt(key.private_encrypted, f"dkim:{key}")


def test_a_stolen_ciphertext_does_not_open_in_another_row() -> None:
    mine, theirs = make(), make(domain="example.com")
    DkimKey.objects.filter(pk=mine.pk).update(is_active=True, private_encrypted=theirs.private_encrypted)
    with pytest.raises(dkim.KeyUnreadable, match=r"envoi1\._domainkey\.example\.org cannot be read"):
        dkim.sign_one(MESSAGE, AT)


def test_a_message_is_not_sent_unsigned_when_its_key_cannot_be_read(settings: object) -> None:
    key = make()
    signing.turn_on(key, anyway=True, resolve=dns({}), actor=None)
    settings.SECRET_KEY = "another one, which this key was not stored with"  # type: ignore[attr-defined]
    with pytest.raises(dkim.KeyUnreadable, match="Remove it and make a new one"):
        dkim.sign_one(MESSAGE, AT)
    other = MESSAGE.replace(b"news@example.org>\r\nTo", b"news@example.com>\r\nTo")
    assert dkim.sign_one(other, AT) == other


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"domain": ""}, "domain"),
        ({"domain": "news@example.org"}, "domain"),
        ({"domain": "exa mple.org; d=evil"}, "domain"),
        ({"algorithm": "rsa4096"}, "algorithm"),
        ({"selector": "a b"}, "selector"),
        ({"selector": "-a"}, "selector"),
        ({"selector": "a..b"}, "selector"),
        ({"selector": "a" * 64}, "selector"),
        ({"selector": "ENVOI1"}, "selector"),
    ],
)
def test_what_does_not_fit_is_named_and_no_key_is_made(given: dict[str, str], problem: str) -> None:
    make()
    asked = {"domain": "example.org", "algorithm": ED25519, **given}
    with pytest.raises(signing.KeyRefused) as refused:
        signing.make(actor=None, **asked)
    assert list(refused.value.problems) == [problem]
    assert DkimKey.objects.count() == 1


def test_selectors_are_counted_up_and_a_gap_is_used_again() -> None:
    first, second = make(), make()
    assert (first.selector, second.selector, make(domain="example.com").selector) == ("envoi1", "envoi2", "envoi1")
    signing.remove(first, actor=None)
    assert signing.free("example.org") == "envoi1"
    assert signing.make("example.org", ED25519, selector="Summer-2026.a", actor=None).selector == "summer-2026.a"


def test_an_international_domain_is_signed_for_as_dns_knows_it() -> None:
    key = make(domain="München.example.")
    assert key.domain == "xn--mnchen-3ya.example"
    signing.turn_on(key, resolve=dns(in_dns(key)), actor=None)
    message = MESSAGE.replace(b"<news@example.org>\r\nTo", "<åsa@münchen.example>\r\nTo".encode())
    assert verified(dkim.sign_one(message, AT), in_dns(key)) == [True]
