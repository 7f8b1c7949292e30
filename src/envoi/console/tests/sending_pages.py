"""How an owner asks for the pages of sending."""

from __future__ import annotations

from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from envoi.delivery.actions import setup
from envoi.delivery.models import SenderIdentity, Transport

RELAY = {
    "name": "Main",
    "kind": "smtp",
    "host": "smtp.example.org",
    "port": "587",
    "security": "starttls",
    "username": "envoi",
    "password": "correct horse",
    "max_connections": "5",
    "messages_per_connection": "500",
    "per_second": "20",
    "per_hour": "",
    "open_from": "",
    "open_until": "",
    "open_days": ["1", "2", "3", "4", "5", "6", "7"],
    "release": "immediate",
    "portion": "",
    "portion_minutes": "",
}
Values = str | list[str]


def said(answer: HttpResponseBase) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


def stored() -> SenderIdentity:
    return SenderIdentity.objects.select_related("transport").get(is_default=True)


def page_of(transport: Transport, name: str = "transport") -> str:
    return reverse(f"settings:{name}", args=[transport.pk])


def trial_page() -> str:
    return page_of(setup.ensure_defaults().transport, "transport-test")


def save(client: Client, **changes: Values) -> HttpResponseBase:
    return client.post(page_of(setup.ensure_defaults().transport), RELAY | changes)


def add(client: Client, **changes: Values) -> HttpResponseBase:
    return client.post(reverse("settings:transport-new"), RELAY | changes)
