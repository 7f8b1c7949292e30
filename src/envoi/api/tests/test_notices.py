"""Notices by the API: a program does what an editor does in the console."""

from __future__ import annotations

import pytest

from envoi.api.tests.factories import Program, wanted
from envoi.audiences.tests.factories import make_product
from envoi.contacts.models import Contact
from envoi.contacts.tests.factories import contact as make_contact
from envoi.notices.tests.factories import subjects

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Contact:
    """Ada is on the product Pro."""
    contact = make_contact("ada@customer.example", first_name="Ada", reference="C-17")
    make_product("Pro", contact)
    return contact


def test_a_program_publishes_and_ada_sees_it_at_once(ada: Contact) -> None:
    bob = make_contact("bob@customer.example")
    answer = Program().post(
        "/notices",
        wanted(
            level="warning",
            ends_at="2199-01-01T00:00:00+01:00",
            button={"label": "More", "url": "https://status.example/"},
        ),
    )
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["level"], told["ends_at"]) == ("shown", "warning", "2198-12-31T23:00:00Z")
    assert told["button"] == {"label": "More", "url": "https://status.example/"}
    assert [row["name"] for row in told["targets"]["products"]] == ["Pro"]
    assert told["exclude"] == {"products": [], "lists": [], "contacts": []}
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])
