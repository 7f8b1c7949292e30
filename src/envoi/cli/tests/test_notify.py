"""`envoi notify`: a maintenance script tells customers."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from envoi.audiences.tests.factories import make_list, make_product
from envoi.broadcasts.models import Broadcast
from envoi.cli import notify
from envoi.cli.faults import Stop
from envoi.contacts.models import Contact
from envoi.contacts.tests.factories import contact
from envoi.core import clock
from envoi.instance import actions as settings
from envoi.notices.models import Notice
from envoi.notices.tests.factories import subjects

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada() -> Contact:
    """Ada is on the product Pro."""
    made = contact("ada@customer.example", reference="C-17")
    make_product("Pro", made)
    return made


def called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    notify.add_arguments(parser)
    with clock.set_to(NOON):
        return notify.run(parser.parse_args(["--subject", "Maintenance tonight", *words]))


def test_customers_of_a_product_see_it_at_once(ada: Contact, capsys: pytest.CaptureFixture[str]) -> None:
    bob = contact("bob@customer.example")
    assert called("--product", "Pro", "--level", "warning", "--body", "From 22:00 on\n<soon>", "--until", "+6h") == 0
    notice = Notice.objects.get()
    assert capsys.readouterr().out == f"Notice {notice.key} is shown. Customers meant at this moment: 1.\n"
    assert (notice.level, notice.body) == ("warning", "<p>From 22:00 on<br>&lt;soon&gt;</p>")
    assert (notice.starts_at, notice.ends_at) == (NOON, NOON + timedelta(hours=6))
    with clock.set_to(NOON):
        assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])
    assert Broadcast.objects.get().status == "showing"


def test_everything_can_be_said(ada: Contact, capsys: pytest.CaptureFixture[str]) -> None:
    bob = contact("bob@customer.example")
    make_list("Friends", ada, bob)
    code = called(
        *("--list", "Friends", "--customer", "ref:C-17", "--except-customer", "bob@customer.example"),
        *("--html", "<p>See <a href='https://example.org/'>here</a></p>", "--level", "error"),
        *("--from", "2026-03-01T14:00", "--until", "+2h", "--button", "Status", "https://status.example/"),
        *("--keep", "--acknowledge", "--fixed", "--json"),
    )
    told = json.loads(capsys.readouterr().out)
    assert (code, told["state"], told["reach"], told["fixed"]) == (0, "scheduled", 1, True)
    assert (told["starts_at"], told["ends_at"]) == ("2026-03-01T14:00:00Z", "2026-03-01T16:00:00Z")
    assert (told["dismissible"], told["must_acknowledge"]) == (False, True)
    assert told["button"] == {"label": "Status", "url": "https://status.example/"}
    with clock.set_to(NOON + timedelta(hours=3)):
        assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])


def test_a_moment_without_zone_is_of_the_installation(ada: Contact) -> None:
    settings.change({"time_zone": "Europe/Stockholm"}, actor=None)
    assert called("--product", "Pro", "--body", "x", "--until", "2026-07-01T18:00") == 0
    assert Notice.objects.get().ends_at == datetime(2026, 7, 1, 16, tzinfo=UTC)


def test_a_subject_may_stand_alone(ada: Contact) -> None:
    assert called("--level", "warning", "--product", "Pro", "--until", "+2h") == 0
    notice = Notice.objects.get()
    assert (notice.body, notice.level) == ("", "warning")
    with clock.set_to(NOON + timedelta(hours=1)):
        assert subjects(ada) == ["Maintenance tonight"]


def test_the_content_comes_from_standard_input_too(ada: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Line one\n\nLine two\n"))
    assert called("--product", "Pro", "--body", "-") == 0
    assert Notice.objects.get().body == "<p>Line one</p>\n\n<p>Line two</p>"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--product", "Gold", "--body", "x"), "--product: There is no product “Gold”."),
        (("--customer", "nobody@example.org", "--body", "x"), "--customer: There is no contact “nobody@example.org”."),
        (("--body", "x"), "--product, --list or --customer: Name at least one product, list or contact."),
        (("--product", "Pro", "--body", " "), "--body: Write the content."),
        (("--product", "Pro", "--html", "<script>x</script>"), "--body: Write the content."),
        (("--product", "Pro", "--body", "x", "--until", "2026-02-01"), "--until: The end lies before the beginning."),
        (("--product", "Pro", "--body", "x", "--button", "Go", "nowhere"), "--button: Write the whole address"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    words: tuple[str, ...], said: str, ada: Contact, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(*words, "--json") == 1
    printed = capsys.readouterr()
    assert said in printed.err
    error = json.loads(printed.out)["errors"][0]
    assert f"{error['option']}: {error['message']}".startswith(said)
    assert not Notice.objects.exists()
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "tomorrow"),
        ("--until", "9999-12-31"),
        ("--until", "+2x"),
        ("--until", "+99999d"),
        ("--html", "a\x00b"),
    ],
)
def test_what_is_no_moment_or_no_text_stops_it(words: tuple[str, str], ada: Contact) -> None:
    body = () if words[0] == "--html" else ("--body", "x")
    with pytest.raises(Stop, match=words[0]):
        called("--product", "Pro", *body, *words)
    assert not Notice.objects.exists()
