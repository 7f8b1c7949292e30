"""Reports are read as servers write them, and nothing that arrives upsets the reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envoi.bounces.reading import LARGEST, Action, Other, Recipient, Report, about, head, read
from envoi.bounces.tests.factories import report

SAMPLES = Path(__file__).resolve().parents[5] / "shared/corpora/bounces"


def test_a_report_of_postfix_says_whom_it_is_about_and_why() -> None:
    assert read(report()) == Report(
        (
            Recipient(
                Action.FAILED,
                "ada@example.net",
                "ada@example.net",
                "5.1.1",
                550,
                "<ada@example.net>: No such user here",
            ),
        ),
        envelope_id="e-17",
        message_id="<key1.mailing@example.org>",
    )


def test_line_ends_do_not_matter() -> None:
    assert read(report().replace(b"\n", b"\r\n")) == read(report())


@pytest.mark.parametrize(
    ("status", "said", "read_as", "code", "words"),
    [
        ("5.0.0", "smtp; 550 5.1.1 unknown", "5.1.1", 550, "unknown"),
        ("5.0.0", "smtp; 550-5.2.2 over quota", "5.2.2", 550, "over quota"),
        ("5.0.0", "smtp;550 #5.1.0 Address rejected.", "5.1.0", 550, "Address rejected."),
        (
            "4.4.1",
            "X-Postfix; connect to mx.example.net: timed out",
            "4.4.1",
            None,
            "connect to mx.example.net: timed out",
        ),
        ("5.1.1 (bad mailbox)", "smtp; 550 no", "5.1.1", 550, "no"),
        ("", "smtp; 550 5.7.1 no", "5.7.1", 550, "no"),
        ("5.0.0", "smtp; 550 4.2.2 contradicts itself", "5.0.0", 550, "contradicts itself"),
        ("5.2.2", "mailbox 192.168.5.1.1 is full", "5.2.2", None, "mailbox 192.168.5.1.1 is full"),
    ],
)
def test_the_more_exact_of_status_and_words_counts(
    status: str, said: str, read_as: str, code: int | None, words: str
) -> None:
    found = read(report(status=status, said=said))
    assert isinstance(found, Report)
    assert (found.recipients[0].status, found.recipients[0].code, found.recipients[0].words) == (read_as, code, words)


def test_words_hold_no_controls_and_have_an_end() -> None:
    found = read(report(said="smtp; 550 5.1.1 a\x00b\x1b[31m\n\tc\u2028" + "x" * 5000))
    assert isinstance(found, Report)
    assert found.recipients[0].words.startswith("a b [31m c x")
    assert len(found.recipients[0].words) == 1000


def test_an_action_that_is_missing_follows_from_the_status() -> None:
    found = read(report(action="", status="4.2.2"))
    assert isinstance(found, Report)
    assert found.recipients[0].action == Action.DELAYED


def test_a_status_part_in_base64_is_read_too() -> None:
    plain = (
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n"
        b"Content-Transfer-Encoding: base64\n\n"
        b"UmVwb3J0aW5nLU1UQTogZG5zOyBhCgpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjsgw6VzYUBleGFtcGxlLm5ldApBY3Rpb246IGZhaWxl"
        b"ZApTdGF0dXM6IDUuMS4xCg==\n--x--\n"
    )
    found = read(plain)
    assert isinstance(found, Report)
    assert found.recipients == (Recipient(Action.FAILED, "åsa@example.net", "", "5.1.1"),)


def test_behind_an_address_for_several_one_arrival_outweighs_the_failures() -> None:
    second = "Final-Recipient: rfc822; bob@example.net\nAction: relayed\nStatus: 2.0.0"
    found = read(report("team@example.net", final="ada@example.net", extra=second))
    assert isinstance(found, Report)
    assert len(found.recipients) == 2
    assert about(found, "news@example.net").action == Action.RELAYED
    assert about(found, "team@example.net").action == Action.FAILED


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"From: ada@example.net\nAuto-Submitted: auto-replied\nSubject: On holiday\n\nBack soon.", Other.AUTO_REPLY),
        (b"From: ada@example.net\nPrecedence: auto_reply\n\nBack soon.", Other.AUTO_REPLY),
        (b"From: ada@example.net\nAuto-Submitted: no\n\nUnsubscribe me!", Other.SOMETHING_ELSE),
        # An old Exim tells in prose that a message came back: not to be taken for a holiday.
        (b"From: Mailer-Daemon@mx.example\nAuto-Submitted: auto-generated\n\nunrouteable", Other.SOMETHING_ELSE),
        (
            b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/feedback-report\n\n"
            b"Feedback-Type: abuse\n--x--",
            Other.COMPLAINT,
        ),
        (b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--",
         Other.SOMETHING_ELSE),
        (b"", Other.SOMETHING_ELSE),
    ],
)  # fmt: skip
def test_what_is_no_report_is_told_apart(message: bytes, kind: Other) -> None:
    assert read(message) == kind


def test_the_head_names_where_it_was_sent_the_surest_first() -> None:
    lines = (b"To: <news@example.org>, b@example.org", b"Subject: Hi\n there", b"X-Original-To: x@example.org")
    message = b"\n".join(lines) + b"\n\nTo: no@example.org"
    assert head(message).sent_to == ("x@example.org", "news@example.org", "b@example.org")
    assert head(message).subject == "Hi there"


@given(st.binary(max_size=2000))
@example(b"\n" * 1000)
@example(b"Content-Type: multipart/mixed; boundary=\xff\n\n--\xff\n\n--\xff")
def test_no_bytes_upset_the_reader(data: bytes) -> None:
    assert isinstance(read(data), Report | Other)
    head(data)


PIECES = st.sampled_from(
    [
        b"\n", b"\n\n", b"\r\n", b"--B1/relay.test", b"--B1/relay.test--", b"Content-Type: message/delivery-status",
        b"Content-Type: multipart/mixed; boundary=y", b"--y", b"Content-Transfer-Encoding: base64", b"Action:",
        b"Status: 5", b"Final-Recipient: ;", b"Diagnostic-Code: 5.", b"\xff\xfe\x00", b"From: ", b" ", b";",
        b"=?utf-8?q?=", b"9" * 5000,
    ]
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 1500), PIECES), max_size=12))
def test_no_damage_to_a_report_upsets_the_reader(damage: list[tuple[int, bytes]]) -> None:
    data = report(sent_to="bounces+x@example.org")
    for place, piece in damage:
        data = data[:place] + piece + data[place + len(piece) // 2 :]
    assert isinstance(read(data), Report | Other)
    head(data)


def test_depth_and_number_of_parts_are_bounded() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000))
    assert read(deep) == Other.SOMETHING_ELSE
    wide = b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\nContent-Type: text/plain\n\n" * 30_000
    assert read(wide) == Other.SOMETHING_ELSE


@pytest.mark.parametrize(
    "filling",
    [
        b"a" * LARGEST,
        b" " * LARGEST,
        b"\n \n" * 300_000,
        b"To: " + b"a.b-" * 250_000,
        b"x:\n" * 340_000,
        b"<" * LARGEST,
    ],
)
def test_a_huge_message_is_read_in_bounded_time(filling: bytes) -> None:
    # Work that grew with the square of the length would not end while anybody waits.
    assert read(filling * 3) == Other.SOMETHING_ELSE
    assert isinstance(read(report()[:900] + filling), Report | Other)
    assert head(filling * 3).subject == ""


def samples() -> list[tuple[str, set[str]]]:
    """The reports among the samples, with the recipients that others found in them."""
    if not SAMPLES.is_dir():
        return []
    found = []
    for line in (SAMPLES / "expectations.jsonl").read_text().splitlines():
        entry, meant = json.loads(line), set()
        for label in entry["labels"]:
            meant |= {*(label.get("recipients") or []), *(label.get("recipients_by_running_sisimai") or [])}
        if meant and b"message/delivery-status" in (SAMPLES / entry["file"]).read_bytes():
            found.append((entry["file"], {address.lower() for address in meant}))
    return found


def test_what_others_collected_is_about_the_recipients_that_they_found() -> None:
    known = samples()
    if not known:
        pytest.skip("the collected samples are not on this machine")
    agreeing = [
        name
        for name, meant in known
        if isinstance(found := read((SAMPLES / name).read_bytes()), Report)
        and meant & {address.lower() for one in found.recipients for address in (one.final, one.original)}
    ]
    # The rest name nobody in their status part, only in prose, or have no parts where their head says.
    assert len(agreeing) > len(known) * 0.95
