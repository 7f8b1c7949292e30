"""Settings → Dashboards: sites are added, changed and revoked; a secret is shown once."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from envoi.accounts.models import AuditEntry, Role, User
from envoi.notices import identity
from envoi.notices.models import SiteKey

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/dashboards/"


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada@example.org", "correct horse battery", role=Role.OWNER))
    return client


def add(client: Client, name: str = "Shop", origins: str = "https://shop.example.org/") -> str:
    return client.post(f"{ADDRESS}new/", {"name": name, "origins": origins}).content.decode()


def test_a_site_is_added_and_its_secret_shown_once(ada: Client) -> None:
    page = add(ada)
    site = SiteKey.objects.get()
    found = re.search(r'id="site-secret">([\w-]+)<', page)
    assert found is not None
    assert (site.name, site.origins) == ("Shop", "https://shop.example.org")
    assert identity._sites().sites[site.key].secret == found[1].encode()
    for path in ("", f"{site.pk}/"):
        assert found[1] not in ada.get(ADDRESS + path).content.decode()
    entry = AuditEntry.objects.get(verb="site_key_make")
    assert found[1] not in str(entry.details)


def test_what_is_no_address_of_a_site_is_told(ada: Client) -> None:
    page = add(ada, origins="shop.example.org")
    assert "“shop.example.org” is not the address of a site." in page
    assert not SiteKey.objects.exists()


def test_the_snippet_is_ready_to_paste(ada: Client) -> None:
    add(ada)
    site = SiteKey.objects.get()
    page = ada.get(f"{ADDRESS}{site.pk}/").content.decode()
    assert "http://localhost:8025/n/v1/notices.js" in page
    assert site.key in page


def test_a_site_is_changed(ada: Client) -> None:
    add(ada)
    site = SiteKey.objects.get()
    ada.post(f"{ADDRESS}{site.pk}/", {"name": "The shop", "origins": "https://a.example http://b.example:8080"})
    site.refresh_from_db()
    assert (site.name, site.origins) == ("The shop", "https://a.example\nhttp://b.example:8080")


def test_a_revoked_site_stays_in_the_list_as_such(ada: Client) -> None:
    add(ada)
    site = SiteKey.objects.get()
    assert ada.get(f"{ADDRESS}{site.pk}/revocation/").status_code == 405
    ada.post(f"{ADDRESS}{site.pk}/revocation/")
    assert site.key not in identity._sites().sites
    assert "Revoked" in ada.get(ADDRESS).content.decode()
    assert AuditEntry.objects.filter(verb="site_key_revoke").count() == 1
