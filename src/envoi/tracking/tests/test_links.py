from __future__ import annotations

import secrets

import pytest

from envoi.core import signing
from envoi.tracking import links
from envoi.tracking.links import Click

LAST = 2**44 - 1
LAST_LINK = 2**32 - 1


def token(url: str) -> str:
    return url.rpartition("/")[2].removesuffix(".gif")


def pair(url: str) -> tuple[str, str]:
    """The two tokens of a tracked link."""
    delivery, link = url.split("/")[-2:]
    return delivery, link


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
    click = links.click_url(delivery_id, LAST_LINK)
    assert click.startswith("http://localhost:8025/c/")
    assert links.read_click(*pair(click)) == Click(delivery_id, LAST_LINK)


def test_an_address_is_the_same_each_time_so_a_second_attempt_sends_the_same_message() -> None:
    assert links.click_url(7, 9) == links.click_url(7, 9)


def test_addresses_are_short() -> None:
    longest = max(links.open_url(LAST), links.click_url(LAST, LAST_LINK), links.unsubscribe_url(LAST), key=len)
    assert len(longest.removeprefix("http://localhost:8025")) <= 40


def test_a_token_of_one_use_is_not_one_of_another() -> None:
    unsubscribe = token(links.unsubscribe_url(7))
    for use in (links.OPEN, links.WEB_VIEW):
        with pytest.raises(signing.BadToken):
            links.read_delivery(unsubscribe, use)
    delivery, link = pair(links.click_url(7, 9))
    for swapped in ((unsubscribe, link), (link, delivery), (delivery, delivery), (link, link)):
        with pytest.raises(signing.BadToken):
            links.read_click(*swapped)


@pytest.mark.parametrize("part", [0, 1])
def test_a_token_cut_anywhere_or_with_any_letter_changed_is_none(part: int) -> None:
    both = pair(links.click_url(7, 9))
    good = both[part]
    cut = [good[:length] for length in range(len(good))]
    changed = [f"{good[:at]}{'A' if good[at] != 'A' else 'B'}{good[at + 1 :]}" for at in range(len(good))]
    for bad in [*cut, *changed, good + "A", good + "=", good + " ", "é" * 40, "\0" * 40]:
        with pytest.raises(signing.BadToken):
            links.read_click(*(bad if at == part else both[at] for at in range(2)))


def test_all_links_of_a_message_carry_the_same_token_and_each_link_the_same_for_everybody() -> None:
    assert pair(links.click_url(7, 9))[0] == pair(links.click_url(7, 10))[0]
    assert pair(links.click_url(7, 9))[1] == pair(links.click_url(8, 9))[1]


def test_a_signed_payload_of_another_length_is_none() -> None:
    delivery, _link = pair(links.click_url(7, 9))
    with pytest.raises(signing.BadToken):
        links.read_click(delivery, signing.sign(b"12345", "tracked link", links.LINK_PROOF))


def test_an_address_of_a_preview_says_that_it_is_one() -> None:
    for use, url in (
        (links.UNSUBSCRIBE, links.unsubscribe_url(links.EXAMPLE)),
        (links.WEB_VIEW, links.webview_url(links.EXAMPLE)),
    ):
        with pytest.raises(links.ExampleOnly):
            links.read_delivery(token(url), use)


def test_ten_thousand_random_tokens_are_none() -> None:
    for _ in range(10_000):
        with pytest.raises(signing.BadToken):
            links.read_delivery(secrets.token_urlsafe(22), links.UNSUBSCRIBE)
