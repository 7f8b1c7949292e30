from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from envoi.tracking import automated
from envoi.tracking.automated import Fact

SENT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def fact(seconds: float = 600, link: int | None = None, agent: str = FIREFOX, method: str = "GET") -> Fact:
    return Fact(SENT + timedelta(seconds=seconds), link, method, agent, SENT)


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (FIREFOX, ""),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/130.0 Mobile", ""),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", ""),
        ("Mozilla/5.0", automated.APPLE_PRIVACY),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "google_proxy"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", automated.YAHOO_PROXY),
        ("YahooCacheSystem", automated.YAHOO_PROXY),
        ("", automated.NO_AGENT),
        ("   ", automated.NO_AGENT),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", automated.SCANNER),
        ("python-requests/2.32", automated.SCANNER),
        ("curl/8.5.0", automated.SCANNER),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel (EE))", automated.SCANNER),
    ],
)
def test_a_program_is_known_by_its_name(agent: str, label: str) -> None:
    assert automated.labels([fact(agent=agent)]) == [label]


def test_head_is_never_a_person() -> None:
    assert automated.labels([fact(method="HEAD")]) == [automated.HEAD]


def test_who_comes_within_a_second_of_the_delivery_is_a_machine_and_later_a_person() -> None:
    assert automated.labels([fact(0.9), fact(1.1)]) == [automated.TOO_FAST, ""]
    unknown = Fact(SENT, None, "GET", FIREFOX, None)
    assert automated.labels([unknown]) == [""]


def test_three_links_within_two_seconds_are_a_scanner_and_each_of_them_is_marked() -> None:
    assert automated.labels([fact(10, 1), fact(10.8, 2), fact(11.9, 3)]) == [automated.MANY_LINKS] * 3


def test_three_links_at_a_readers_pace_are_a_person() -> None:
    assert automated.labels([fact(10, 1), fact(11.5, 2), fact(13, 3)]) == ["", "", ""]


def test_one_link_pressed_three_times_is_an_impatient_person() -> None:
    assert automated.labels([fact(10, 1), fact(10.3, 1), fact(10.6, 1)]) == ["", "", ""]


def test_a_person_who_clicks_after_the_scanner_is_a_person() -> None:
    facts = [fact(10, 1), fact(10.1, 2), fact(10.2, 3), fact(10.3, 4), fact(200, 2)]
    assert automated.labels(facts) == [*[automated.MANY_LINKS] * 4, ""]


def test_opens_between_the_clicks_are_judged_by_themselves() -> None:
    assert automated.labels([fact(10, 1), fact(10.1), fact(10.2, 2), fact(10.3, 3)])[1] == ""


def test_a_proxy_is_not_a_machine() -> None:
    assert not set(automated.PROXIES) & set(automated.MACHINES)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(address: str, network: str) -> None:
    assert automated.network(address) == network
