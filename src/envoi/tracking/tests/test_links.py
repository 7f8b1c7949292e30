from __future__ import annotations

import secrets

import pytest

from envoi.core import signing
from envoi.tracking import links
from envoi.tracking.links import Click

LAST = 2**48 - 1


def token(url: str) -> str:
    return url.rpartition("/")[2].removesuffix(".gif")


@pytest.mark.parametrize("delivery_id", [1, 255, 256, 10**9, LAST])
def test_each_address_is_absolute_and_tells_whose_message_it_stood_in(delivery_id: int) -> None:
    urls = {
        links.OPEN: links.open_url(delivery_id),
        links.WEB_VIEW: links.webview_url(delivery_id),
        links.UNSUBSCRIBE: links.unsubscribe_url(delivery_id),
    }
    letters = {use: url.removeprefix("http://localhost:8025")[:3] for use, url in urls.items()}
    assert letters == {links.OPEN: "/o/", links.WEB_VIEW: "/w/", links.UNSUBSCRIBE: "/u/"}
    assert {links.read_delivery(token(url), use) for use, url in urls.items()} == {delivery_id}
    click = links.click_url(delivery_id, 2**40 - 1)
    assert click.startswith("http://localhost:8025/c/")
    assert links.read_click(token(click)) == Click(delivery_id, 2**40 - 1)


def test_an_address_is_the_same_each_time_so_a_second_attempt_sends_the_same_message() -> None:
    assert links.click_url(7, 9) == links.click_url(7, 9)


def test_addresses_are_short() -> None:
    longest = max(links.open_url(LAST), links.click_url(LAST, 2**40 - 1), links.unsubscribe_url(LAST), key=len)
    assert len(longest.removeprefix("http://localhost:8025")) <= 40


def test_a_token_of_one_use_is_not_one_of_another() -> None:
    unsubscribe = token(links.unsubscribe_url(7))
    for use in (links.OPEN, links.WEB_VIEW):
        with pytest.raises(signing.BadToken):
            links.read_delivery(unsubscribe, use)
    with pytest.raises(signing.BadToken):
        links.read_click(unsubscribe)


def test_a_token_cut_anywhere_or_with_any_letter_changed_is_none() -> None:
    good = token(links.click_url(7, 9))
    cut = [good[:length] for length in range(len(good))]
    changed = [f"{good[:at]}{'A' if good[at] != 'A' else 'B'}{good[at + 1 :]}" for at in range(len(good))]
    for bad in [*cut, *changed, good + "A", good + "=", good + " ", "é" * 40, "\0" * 40]:
        with pytest.raises(signing.BadToken):
            links.read_click(bad)


def test_a_signed_payload_of_another_length_is_none() -> None:
    with pytest.raises(signing.BadToken):
        links.read_delivery(signing.sign(b"12345", links.OPEN), links.OPEN)
    with pytest.raises(signing.BadToken):
        links.read_click(signing.sign(b"12345", links.CLICK))


def test_ten_thousand_random_tokens_are_none() -> None:
    for _ in range(10_000):
        with pytest.raises(signing.BadToken):
            links.read_delivery(secrets.token_urlsafe(22), links.UNSUBSCRIBE)
