"""Whoever types an address wrongly is told why in words of ours."""

import pytest

from envoi.core import addresses

WRONG = {
    "bob": "It has no @ sign.",
    "bob@": "Nothing stands after the @ sign.",
    "@example.org": "Nothing stands before the @ sign.",
    "bob@localhost": "Its domain has no dot, as in example.org.",
    "bob..b@example.org": "It has two dots in a row.",
    ".bob@example.org": "It begins with a dot.",
    "bob.@example.org": "It has a dot next to the @ sign.",
    "bob@example..org": "It has two dots in a row.",
    "bob@-example.org": "It has a hyphen next to the @ sign.",
    "bob@example.org.": "It ends with a dot.",
    "bob b@example.org": "A character before the @ sign may not stand there.",
    '"bob b"@example.org': "The part before the @ sign stands in quotation marks, which Envoi refuses.",
    "bob@[127.0.0.1]": "It names a number in brackets instead of a domain, which Envoi refuses.",
    "Bob <bob@example.org>": "Write the address alone, without a name and without < and >.",
    "bob@example.invalid": "Its domain is reserved and takes no mail.",
    "b" * 65 + "@example.org": "More than 64 characters stand before the @ sign.",
    "bob@" + "e" * 64 + ".org": "A part of its domain is longer than 63 characters.",
    "bob＠example.org": "Its @ sign is a look-alike from another script; type a plain @.",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_address_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(addresses.AddressError) as refused:
        addresses.parse(text)
    assert str(refused.value) == f"“{text[:100]}” is not an e-mail address. {WRONG[text]}"
