"""`envoi bench notices`: what one customer sees, asked of the database and over HTTP as dashboards do."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.test import RequestFactory

from envoi.cli import migrate
from envoi.cli.bench.notices import polling, population
from envoi.cli.bench.notices.polling import Job, Result
from envoi.cli.faults import Stop
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.notices import queries
from envoi.notices.actions import site_keys
from envoi.notices.identity import sign
from envoi.public.notices import views

PATH = "/n/v1/notices"
ASKED = 1000
POLLED = 500
READY_WITHIN = 60.0
TO_REACH = {"median_ms": 5, "queries": 2, "not_modified_queries": 0, "polls_per_second": 2000}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--customers", type=at_least_one, default=100_000, help="default: 100000")
    parser.add_argument("--notices", type=at_least_one, default=50, help="that stand at once (default: 50)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of polling (default: 10)")
    parser.add_argument("--connections", type=at_least_one, default=16, help="that poll at once (default: 16)")
    parser.add_argument("--web-workers", type=at_least_one, default=2, help="processes that answer (default: 2)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")


def at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 1 on")
    return int(text)


def run(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        if not args.json:
            print(text, flush=True)

    migrate.migrate()
    say(f"Inventing {args.customers:,} customers and {args.notices:,} notices …")
    population.invent(args.customers, args.notices)
    numbers: dict[str, Any] = {
        "database": connection.vendor,
        "customers": args.customers,
        "notices": args.notices,
        **shown(),
    }
    say("Polling …")
    site, secret = site_keys.make("Bench", "", actor=None)
    customers = sample(POLLED)
    asked = [question(site.key, secret, customer) for customer in customers]
    numbers |= not_modified(asked[0])
    connection.close()
    numbers |= polls(args, ["".join(f"{name}: {value}\r\n" for name, value in one.items()) for one in asked])
    numbers["to_reach"] = TO_REACH
    print(json.dumps(numbers, indent=2) if args.json else in_words(numbers))
    return 1 if numbers["failed_polls"] or numbers["first_answers"] != len(customers) else 0


def sample(number: int) -> list[int]:
    """Some customers, the same on every run."""
    found = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    return random.Random(7).sample(found, min(number, len(found)))  # noqa: S311 - nobody must be unable to guess them


def question(key: str, secret: str, customer: int) -> dict[str, str]:
    """The headers by which a site vouches for a customer."""
    who, expires = f"id:{customer}", int(clock.now().timestamp()) + 12 * 3600
    said = {"Key": key, "Customer": who, "Expires": str(expires), "Signature": sign(secret, who, expires)}
    return {f"X-Envoi-{name}": value for name, value in said.items()}


def shown() -> dict[str, Any]:
    """Ask the database what each of many customers sees."""
    waits, statements, rows = [], [], []
    for customer in sample(ASKED):
        with counted() as count:
            began = time.perf_counter()
            found = queries.shown_to(customer, now=clock.now(), limit=0)
            waits.append((time.perf_counter() - began) * 1000)
        statements.append(count())
        rows.append(len(found))
    return {
        "median_ms": round(median(waits), 3),
        "p95_ms": round(percentile(waits, 95), 3),
        "queries": int(median(statements)),
        "queries_after_a_change": max(statements),
        "shown_median": median(rows),
    }


def not_modified(headers: dict[str, str]) -> dict[str, Any]:
    """Ask again and again for an answer that has not changed."""
    ask = RequestFactory().get
    tag = views.shown(ask(PATH, headers=headers))["ETag"]
    statements, waits, statuses = [], [], set()
    for _ in range(ASKED):
        request = ask(PATH, headers={**headers, "If-None-Match": tag})
        with counted() as count:
            began = time.perf_counter()
            statuses.add(views.shown(request).status_code)
            waits.append((time.perf_counter() - began) * 1000)
        statements.append(count())
    if statuses != {304}:
        raise Stop(f"an unchanged answer came as {sorted(statuses)}")
    return {
        "not_modified_queries": int(median(statements)),
        "not_modified_refresh_queries_per_1000": sum(statements),
        "not_modified_median_ms": round(median(waits), 4),
    }


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Counts the statements of this process inside the block."""
    number = 0

    def one(execute: Any, *rest: Any) -> Any:
        nonlocal number
        number += 1
        return execute(*rest)

    with connection.execute_wrapper(one):
        yield lambda: number


def polls(args: argparse.Namespace, asked: list[str]) -> dict[str, Any]:
    """Let a program of its own poll a web server of its own: unchanged answers, then whole ones."""
    host, port = "127.0.0.1", urlsplit(settings.ENVOI_BASE_URL).port or 80
    with web_server(host, port, args.web_workers):
        job = Job(host, port, PATH, args.connections, args.seconds, asked)
        unchanged, whole = polled(job), polled(replace(job, knowing=False, seconds=args.seconds / 2))
    waits = unchanged.waits or [0.0]
    return {
        "polls_per_second": round((unchanged.not_modified + unchanged.modified) / unchanged.seconds),
        "poll_median_ms": round(median(waits), 2),
        "poll_p95_ms": round(percentile(waits, 95), 2),
        "not_modified_polls": unchanged.not_modified,
        "modified_polls": unchanged.modified,
        "whole_answers_per_second": round(whole.modified / whole.seconds),
        "failed_polls": unchanged.failed + whole.failed,
        "first_answers": unchanged.first,
        "connections": args.connections,
        "web_workers": args.web_workers,
    }


def polled(job: Job) -> Result:
    """What came of one run of the program that polls.

    Raises:
        Stop: it failed.
    """
    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", polling.__file__],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        raise Stop("polling failed:\n" + said.stderr.strip()[-2000:])
    return Result(**json.loads(said.stdout))


def percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


@contextmanager
def web_server(host: str, port: int, workers: int) -> Iterator[None]:
    """`envoi web` on this installation, as a process of its own.

    Raises:
        Stop: it ended, or did not answer in time; with the last of what it said.
    """
    words = ["web", "--host", host, "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "envoi.cli", *words], stdout=output, stderr=output, env=os.environ
        )
        try:
            until = time.monotonic() + READY_WITHIN
            while server.poll() is None and time.monotonic() < until and not answers(host, port):
                time.sleep(0.1)
            if server.poll() is not None or not answers(host, port):
                output.seek(0)
                raise Stop("the web server did not start:\n" + output.read().decode(errors="replace")[-2000:])
            yield
        finally:
            server.terminate()
            server.wait(30)


def answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/accounts/login/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def in_words(numbers: dict[str, Any]) -> str:
    return (
        "{customers:,} customers and {notices:,} notices on {database}.\n"
        "What one customer sees: {median_ms} ms in the middle, {p95_ms} ms for 95 of 100, {queries} queries.\n"
        "Unchanged: {not_modified_queries} queries, {not_modified_median_ms} ms.\n"
        "{polls_per_second:,} polls a second on {connections} connections, {poll_median_ms} ms in the middle, "
        "{poll_p95_ms} ms for 95 of 100; {failed_polls} failed.\n"
        "{whole_answers_per_second:,} whole answers a second."
    ).format(**numbers)
