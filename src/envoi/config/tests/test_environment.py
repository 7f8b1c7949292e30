"""What an administrator is told when a setting of the environment is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from envoi.config.environment import SettingError, base_url, database, lease_seconds


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ftp://example.org", "it does not start with https:// or http://"),
        ("localhost:8000", "it does not start with https:// or http://"),
        ("http://", "it names no host"),
        ("http:///mail", "it names no host"),
        ("https://exa mple.org", "it holds a space or a sign that no address may hold"),
        ('https://example.org/"', "it holds a space or a sign that no address may hold"),
        ("https://example.org/sub?x=1", "Envoi needs a host name of its own, without user name, path, “?” or “#”"),
        ("https://example.org/#top", "Envoi needs a host name of its own, without user name, path, “?” or “#”"),
        ("https://ada:secret@example.org", "Envoi needs a host name of its own, without user name, path, “?” or “#”"),
        ("https://example.org/mail/", "Envoi needs a host name of its own, without user name, path, “?” or “#”"),
        ("https://example.org:abc", "it cannot be read"),
        ("https://example.org:99999", "it cannot be read"),
        ("http://[::1", "it cannot be read"),
        ("https://" + "ü" * 70 + ".example", "it cannot be read"),
    ],
)
def test_an_address_that_readers_cannot_follow_is_refused(given: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        base_url({"ENVOI_BASE_URL": given})
    assert f": {told}. It needs to be an address such as https://mail.example.org." in str(caught.value)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("", "http://localhost:8025"),
        (" https://mail.example.org/ ", "https://mail.example.org"),
        ("http://[::1]:8025", "http://[::1]:8025"),
        ("https://münchen.example:8443", "https://xn--mnchen-3ya.example:8443"),
    ],
)
def test_links_begin_with_the_address_as_browsers_send_it(given: str, made: str) -> None:
    assert base_url({"ENVOI_BASE_URL": given}) == made


def test_a_lease_lasts_a_minute_unless_told_otherwise() -> None:
    assert lease_seconds({}) == 60
    assert lease_seconds({"ENVOI_LEASE_SECONDS": "8"}) == 8


@pytest.mark.parametrize("text", ["7", "3601", "-60", "60.5", "a minute", "٦٠"])
def test_a_wrong_lease_is_named(text: str) -> None:
    with pytest.raises(SettingError) as said:
        lease_seconds({"ENVOI_LEASE_SECONDS": text})
    assert str(said.value) == f"ENVOI_LEASE_SECONDS is “{text}”; it needs to be a whole number from 8 to 3600."


def test_a_link_to_the_database_is_given_up_before_the_leases_end(tmp_path: Path) -> None:
    url = "postgresql://ada@db.example.org/envoi?connect_timeout=3"
    options = database(tmp_path, {"ENVOI_DATABASE_URL": url})["OPTIONS"]
    assert options == {
        "connect_timeout": 3,
        "target_session_attrs": "read-write",
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
