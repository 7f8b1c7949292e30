"""A program that did not hear the answer asks again: one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from envoi.api.models import RememberedAnswer
from envoi.api.tests.factories import Program, wanted
from envoi.audiences.tests.factories import make_product
from envoi.contacts.tests.factories import contact
from envoi.core import clock
from envoi.core.tasks import later
from envoi.core.tasks.testing import run_due
from envoi.notices.models import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    make_product("Pro", contact())
    return Program()


def test_repeated_it_is_answered_as_the_first_time(program: Program) -> None:
    first = program.post("/notices", wanted(), Idempotency_Key="nightly-7")
    again = program.post("/notices", wanted(), Idempotency_Key="nightly-7")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert "Idempotency-Replayed" not in first
    assert Notice.objects.count() == 1


def test_with_another_body_it_is_refused(program: Program) -> None:
    program.post("/notices", wanted(), Idempotency_Key="nightly-7")
    answer = program.post("/notices", wanted(subject="Other"), Idempotency_Key="nightly-7")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Notice.objects.count() == 1


def test_another_program_has_keys_of_its_own(program: Program) -> None:
    for one in (program, Program()):
        assert one.post("/notices", wanted(), Idempotency_Key="nightly-7").status_code == 201
    assert Notice.objects.count() == 2


def test_after_a_refusal_the_key_can_be_used_again(program: Program) -> None:
    assert program.post("/notices", wanted(subject=" "), Idempotency_Key="nightly-7").status_code == 422
    assert not RememberedAnswer.objects.exists()
    assert program.post("/notices", wanted(), Idempotency_Key="nightly-7").status_code == 201


def test_ending_twice_with_a_key_is_ending_once(program: Program) -> None:
    key = program.post("/notices", wanted()).json()["id"]
    answers = [program.post(f"/notices/{key}/end", Idempotency_Key="end-7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert program.post(f"/notices/{key}/end").status_code == 409


@pytest.mark.parametrize("name", ["", "x" * 201, "a\tb"])
def test_an_unusable_key_is_told_so(name: str, program: Program) -> None:
    answer = program.post("/notices", wanted(), Idempotency_Key=name)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_unusable")
    assert not Notice.objects.exists()


def test_after_a_day_it_is_forgotten(program: Program) -> None:
    now = clock.now()
    program.post("/notices", wanted(), Idempotency_Key="nightly-7")
    with clock.set_to(now + timedelta(hours=23)):
        later("api.forget_answers")
        run_due()
        assert RememberedAnswer.objects.count() == 1
    with clock.set_to(now + timedelta(hours=25)):
        assert program.post("/notices", wanted(subject="Other"), Idempotency_Key="nightly-7").status_code == 201
    with clock.set_to(now + timedelta(hours=50)):
        later("api.forget_answers")
        run_due()
    assert not RememberedAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_it_has_one_effect() -> None:
    make_product("Pro", contact())
    program = Program()
    # The test's SQLite lives in memory and knows one connection; in files, transactions wait for each other from
    # their first statement (IMMEDIATE).
    workers = 6 if connection.vendor == "postgresql" else 1

    def ask(_: int) -> tuple[int, bytes]:
        try:
            answer = program.post("/notices", wanted(), Idempotency_Key="nightly-7")
            return answer.status_code, answer.content
        finally:
            if workers > 1:
                connection.close()

    if workers == 1:
        answers = [ask(number) for number in range(6)]
    else:
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(ask, range(6)))
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert Notice.objects.count() == 1
