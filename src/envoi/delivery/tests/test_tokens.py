"""The tokens of a delivery prove what they are for, and nothing else."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from envoi.core.signing import BadToken
from envoi.delivery import tokens

USES = (tokens.UNSUBSCRIBE, tokens.WEB_VIEW, tokens.CLICK, tokens.OPEN)
# All ways in which characters that are no base64url, or spellings that are not the one we write, could come in.
STRANGE = ["", "A", "+" * 20, "/" * 24, "=" * 20, " " * 20, "é" * 20, "\0" * 24, "A" * 20 + "\n", "A" * 20 + "===="]


def text(delivery_id: int, use: str) -> str:
    made: bytes = getattr(tokens.of(delivery_id), use)
    return made.decode("ascii")


@pytest.mark.parametrize("number", [0, 1, 255, 10**9, tokens.LARGEST])
@pytest.mark.parametrize("use", USES)
def test_a_token_names_its_delivery(number: int, use: str) -> None:
    assert tokens.read(text(number, use), use) == number


@pytest.mark.parametrize("use", USES)
def test_a_token_of_one_use_is_not_one_of_another(use: str) -> None:
    for other in set(USES) - {use}:
        with pytest.raises(BadToken):
            tokens.read(text(7, other), use)


def test_no_two_uses_share_a_stretch_of_the_proof() -> None:
    proofs = [text(7, use)[8:] for use in USES]
    pieces = [proof[at : at + 4] for proof in proofs for at in range(0, len(proof), 4)]
    assert len(set(pieces)) == len(pieces)


def test_where_more_hangs_on_it_96_bits_prove_it_elsewhere_72() -> None:
    bits = {use: (len(text(7, use)) - 8) * 6 for use in USES}
    assert bits == {"unsubscribe": 96, "web_view": 96, "click": 72, "open": 72}
    assert (len(tokens.of(7).return_path) - 12) * 4 == 72


@pytest.mark.parametrize("use", USES)
def test_a_token_cut_anywhere_or_with_any_character_changed_is_none(use: str) -> None:
    good = text(7, use)
    cut = [good[:length] for length in range(len(good))]
    changed = [f"{good[:at]}{'A' if good[at] != 'A' else 'B'}{good[at + 1 :]}" for at in range(len(good))]
    for bad in [*cut, *changed, good + "A", good + "AAAA", good + "\n", *STRANGE]:
        with pytest.raises(BadToken):
            tokens.read(bad, use)


def test_the_proof_of_one_delivery_is_none_for_another() -> None:
    mixed = text(8, tokens.UNSUBSCRIBE)[:8] + text(7, tokens.UNSUBSCRIBE)[8:]
    with pytest.raises(BadToken):
        tokens.read(mixed, tokens.UNSUBSCRIBE)


def test_a_token_of_a_form_that_is_not_known_yet_is_refused() -> None:
    of_form_1 = "EAAA" + text(7, tokens.OPEN)[4:]
    with pytest.raises(BadToken):
        tokens.read(of_form_1, tokens.OPEN)
    with pytest.raises(BadToken):
        tokens.read_return_path("1" + tokens.of(7).return_path[1:])


def test_another_installations_tokens_are_none(settings: Settings) -> None:
    foreign = tokens.of(7)
    settings.SECRET_KEY = "of another installation altogether"
    assert tokens.of(7) != foreign
    with pytest.raises(BadToken):
        tokens.read(foreign.open.decode(), tokens.OPEN)
    with pytest.raises(BadToken):
        tokens.read_return_path(foreign.return_path)


@pytest.mark.parametrize("number", [-1, tokens.LARGEST + 1, 2**48])
def test_what_cannot_be_the_id_of_a_delivery_has_no_tokens(number: int) -> None:
    with pytest.raises(OverflowError):
        tokens.of(number)
