"""What email-validator says of an address, in our words and in the reader's language.

The library speaks English only. The first row whose beginning fits holds; what fits none gets the last word.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: tuple[tuple[str, str | Promise], ...] = (
    ("An email address must have an @-sign", _("It has no @ sign.")),
    ("The email address has the", _("Its @ sign is a look-alike from another script; type a plain @.")),
    ("There must be something after the @-sign", _("Nothing stands after the @ sign.")),
    ("There must be something before the @-sign", _("Nothing stands before the @ sign.")),
    ("There can't be anything after", _("Something stands behind the address.")),
    ("Extra character(s) found after close quote", _("Something stands behind the quotation mark.")),
    ("A display name and angle brackets", _("Write the address alone, without a name and without < and >.")),
    ("An open angle bracket", _("Write the address alone, without a name and without < and >.")),
    ("The display name contains", _("Write the address alone, without a name and without < and >.")),
    ("An email address cannot have two periods in a row", _("It has two dots in a row.")),
    ("An email address cannot have a period and a hyphen", _("It has a dot and a hyphen next to each other.")),
    ("An email address cannot start with a period", _("It begins with a dot.")),
    ("An email address cannot end with a period", _("It ends with a dot.")),
    ("An email address cannot have a period immediately", _("It has a dot next to the @ sign.")),
    ("An email address cannot have a hyphen immediately", _("It has a hyphen next to the @ sign.")),
    ("An email address cannot start with a hyphen", _("It begins with a hyphen.")),
    ("An email address cannot end with a hyphen", _("It ends with a hyphen.")),
    (
        "An email address cannot have two letters followed by two dashes",
        _("Its domain has two hyphens where none may be."),
    ),
    (
        "Quoting the part before the @-sign",
        _("The part before the @ sign stands in quotation marks, which Envoi refuses."),
    ),
    (
        "A bracketed IP address after the @-sign",
        _("It names a number in brackets instead of a domain, which Envoi refuses."),
    ),
    (
        "The email address contains invalid characters before the @-sign",
        _("A character before the @ sign may not stand there."),
    ),
    ("Internationalized characters before the @-sign", _("A character before the @ sign may not stand there.")),
    (
        "The email address contains unsafe characters",
        _("It holds a character that cannot be seen or may not stand there."),
    ),
    ("The email address contains", _("It holds a character that may not stand in an address.")),
    ("The email address is not valid ASCII", _("It holds a character that may not stand in an address.")),
    ("The part after the @-sign is a special-use", _("Its domain is reserved and takes no mail.")),
    (
        "The part after the @-sign is not valid. It is not within a valid top-level domain",
        _("Its domain has no valid ending."),
    ),
    ("The part after the @-sign is not valid. It should have a period", _("Its domain has no dot, as in example.org.")),
    ("The email address is too long before the @-sign", _("More than 64 characters stand before the @ sign.")),
    ("The email address is too long after the @-sign", _("Its domain is longer than 253 characters.")),
    ("After the @-sign, periods cannot be separated", _("A part of its domain is longer than 63 characters.")),
    ("The email address is too long", _("It is longer than 254 characters.")),
    ("", _("Its domain is not written as one, as in example.org.")),
)


def in_our_words(said: str) -> str:
    """The reason for a person, in the language of the moment."""
    return next(str(ours) for beginning, ours in REASONS if said.startswith(beginning))
