"""`envoi bench`: the numbers are taken; how great they are is no test's business."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.models import Count

from envoi.audiences.models import Membership, Subscription
from envoi.cli.bench.notices import command as notices
from envoi.cli.bench.notices import population
from envoi.cli.bench.send import postfix, readers
from envoi.cli.bench.send.meter import Meter
from envoi.cli.faults import Stop
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.notices.actions import site_keys
from envoi.notices.models import Notice, Reading
from envoi.notices.queries import reach, shown_to

SBIN = os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")])


@pytest.mark.django_db
def test_the_invented_organisation_is_complete() -> None:
    population.invent(300, 10)
    assert (Contact.objects.count(), Notice.objects.count()) == (300, 10)
    assert Membership.objects.values("contact").distinct().count() == 300
    assert Subscription.objects.values("contact").distinct().count() == 300
    assert set(Reading.objects.values("contact").annotate(n=Count("id")).values_list("n", flat=True)) == {3}
    assert Reading.objects.exclude(dismissed_at=None).count() == 300
    assert all(0 < reach(notice.audience) < 300 for notice in Notice.objects.all())
    seen = [len(shown_to(contact.pk, now=clock.now(), limit=0)) for contact in Contact.objects.all()]
    assert 0 < sum(seen) / len(seen) < 10


@pytest.mark.django_db
def test_what_it_says_of_the_database() -> None:
    population.invent(50, 5)
    found = notices.shown()
    assert found["queries"] == 1
    assert 0 < found["median_ms"] <= found["p95_ms"]
    site, secret = site_keys.make("Bench", "", actor=None)
    found = notices.not_modified(notices.question(site.key, secret, notices.sample(1)[0]))
    assert found["not_modified_queries"] == 0


def test_the_whole_bench_leaves_nothing_and_fails_nothing() -> None:
    words = "bench notices --customers 40 --notices 5 --seconds 0.5 --connections 3 --web-workers 1 --json"
    said = subprocess.run(
        [sys.executable, "-m", "envoi.cli", *words.split()],
        # With the product's own settings, as anybody runs it.
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert (found["customers"], found["notices"], found["queries"], found["not_modified_queries"]) == (40, 5, 1, 0)
    assert (found["failed_polls"], found["modified_polls"], found["first_answers"]) == (0, 0, 40)
    assert found["polls_per_second"] > 0
    assert found["whole_answers_per_second"] > 0


def envoi(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the product's own settings, as anybody runs it."""
    return subprocess.run(
        [sys.executable, "-m", "envoi.cli", *words.split()],
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.skipif(shutil.which("smtp-sink", path=SBIN) is None, reason="smtp-sink is not installed")
def test_a_broadcast_is_measured_beside_smtp_source_and_everybody_got_it() -> None:
    said = envoi("bench send --messages 1200 --size 3000 --rounds 2 --connections 4 --senders 3 --json")
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert set(found) == {
        "ratio", "envoi_per_second", "reference_per_second", "cpu_seconds_per_1000", "peak_rss_mb", "database",
        "messages", "size", "compiled", "personal_seconds",
    }  # fmt: skip
    assert (found["messages"], found["size"]) == (1200, 3000)
    assert found["compiled"] is ("ENVOI_TESTS_COMPILED" in os.environ)
    assert found["database"] == ("postgresql" if "ENVOI_DATABASE_URL" in os.environ else "sqlite")
    assert set(found["ratio"]) == {"median", "min", "max"}
    assert 0 < found["ratio"]["min"] <= found["ratio"]["median"] <= found["ratio"]["max"]
    assert min(found["envoi_per_second"], found["reference_per_second"]) > 0
    assert {"freeze", "sender", "sink", "smtp_source"} <= set(found["cpu_seconds_per_1000"])
    assert {"bench", "sender_1", "sender_2", "sender_3", "personal", "sink"} <= set(found["peak_rss_mb"])
    assert 0 < found["personal_seconds"]["median"] <= found["personal_seconds"]["max"]


@pytest.mark.skipif(shutil.which("smtp-sink", path=SBIN) is None, reason="smtp-sink is not installed")
def test_where_composing_is_left_out_the_numbers_say_so() -> None:
    said = envoi("bench send --canned --messages 60 --rounds 1 --senders 1 --no-personal --json")
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert (found["canned"], found["messages"]) == (True, 60)


def test_the_parts_of_a_broadcast_are_measured_by_themselves_and_nobody_gets_it() -> None:
    said = envoi("bench parts --messages 300 --size 3000 --rounds 2 --json")
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert set(found) == {"microseconds", "sum", "database", "messages", "size"}
    assert (found["messages"], found["size"]) == (300, 3000)
    assert set(found["microseconds"]) == {"freeze", "lease", "readers", "composing", "outcomes", "last_count"}
    on_postgresql = "ENVOI_DATABASE_URL" in os.environ
    for part, taken in found["microseconds"].items():
        assert set(taken) == ({"own", "database"} if on_postgresql else {"own"})
        assert min(taken.values()) > 0 or (part == "composing" and taken["database"] == 0 < taken["own"])
    assert found["database"] == ("postgresql" if on_postgresql else "sqlite")
    assert found["sum"]["own"] == pytest.approx(sum(taken["own"] for taken in found["microseconds"].values()))


def test_a_message_that_is_too_short_for_its_parts_is_refused() -> None:
    said = envoi("bench parts --messages 10 --size 100")
    assert said.returncode == 1
    assert "--size 100: " in said.stderr


@pytest.mark.skipif(shutil.which("smtp-sink", path=SBIN) is None, reason="smtp-sink is not installed")
def test_smtp_source_is_measured_beside_the_ledger() -> None:
    said = envoi("bench limit --messages 300 --size 3000 --rounds 2 --json")
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert set(found) == {"ratio", "database", "messages", "size"}
    assert 0 < found["ratio"]["min"] <= found["ratio"]["median"] <= found["ratio"]["max"]
    assert (found["messages"], found["size"]) == (300, 3000)


def test_without_smtp_sink_it_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postfix, "FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match=r"smtp-sink is not installed.*apt-get install postfix"):
        postfix.program("smtp-sink")


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (b"", 0),
        (b"sess=1 quit=0 mesg=0\rsess=1 quit=0 mesg=118\r", 118),
        (b"sess=1 quit=0 mesg=118\rsess=1 quit=0 mesg=", 118),
        (b"sess=1 quit=0 mesg=118\rsess=1 quit=0 mesg=1", 118),
        (b"sess=1 quit=0 mesg=1", 0),
    ],
)
def test_a_count_that_the_sink_is_just_writing_is_not_read(tmp_path: Path, written: bytes, count: int) -> None:
    counters = tmp_path / "counters"
    counters.write_bytes(written)
    assert postfix.Sink(0, 0, counters).messages() == count


def test_a_message_too_short_for_ten_links_is_refused() -> None:
    said = envoi("bench send --messages 10 --size 100")
    assert said.returncode == 1
    assert "--size 100: " in said.stderr


@pytest.mark.django_db
def test_the_invented_readers_have_names_in_several_scripts() -> None:
    everybody = readers.invent(25)
    assert Contact.objects.count() == 25
    assert everybody.subscriptions.count() == 25
    assert set(Contact.objects.values_list("last_name", flat=True)) == {name[1] for name in readers.NAMES}
    one = Contact.objects.get(address_key="reader3@bench.example")
    assert one.name == "Дмитрий Ковалёв"
    assert one.fields == {}


@pytest.mark.django_db
def test_the_time_of_a_process_that_has_ended_still_counts() -> None:
    meter = Meter({})
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    meter.watch("busy", busy.pid)
    while meter.seconds()["busy"] < 0.05:
        meter.look()
    assert set(meter.peaks()) == {"busy"}
    busy.kill()
    busy.wait()
    before = meter.seconds()["busy"]
    meter.look()
    assert meter.seconds()["busy"] == before
    assert meter.peaks() == {}
