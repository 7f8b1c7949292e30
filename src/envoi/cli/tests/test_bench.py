"""`envoi bench`: the numbers are taken; how great they are is no test's business."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.db.models import Count

from envoi.audiences.models import Membership, Subscription
from envoi.cli.bench import notices, population
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.notices.actions import site_keys
from envoi.notices.models import Notice, Reading
from envoi.notices.queries import reach, shown_to


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
        timeout=120,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert (found["customers"], found["notices"], found["queries"], found["not_modified_queries"]) == (40, 5, 1, 0)
    assert (found["failed_polls"], found["modified_polls"], found["first_answers"]) == (0, 0, 40)
    assert found["polls_per_second"] > 0
    assert found["whole_answers_per_second"] > 0
