"""The addresses in previews and test messages."""

from __future__ import annotations

import pytest
from django.test import Client

from envoi.broadcasts.envelope import example_links
from envoi.contacts.models import Suppression
from envoi.tracking.models import Activity


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["unsubscribe_url", "webview_url"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_they_say_what_they_are_and_change_nothing(client: Client, name: str, method: str) -> None:
    path = example_links()[name].removeprefix("http://localhost:8025")
    answer = getattr(client, method)(path, {"List-Unsubscribe": "One-Click"} if method == "post" else {})
    if (name, method) == ("webview_url", "post"):
        assert answer.status_code == 405
        return
    assert answer.status_code == 200
    assert "This is only an example" in answer.content.decode()
    assert not Suppression.objects.exists()
    assert not Activity.objects.exists()
