"""Which column is which field: guessed from its name in four languages, then from what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from envoi.contacts.importing.records import Record
from envoi.core.text import folded

# Not a field, but often a column: both names in one cell.
FULL_NAME = "name"
# A column that becomes a further field of its name.
NEW_FIELD = "new"

KNOWN: dict[str, tuple[str, ...]] = {
    "address": (
        "email",
        "mail",
        "emailaddress",
        "mailaddress",
        "address",
        "courriel",
        "adressemail",
        "adresseemail",
        "adressemel",
        "mel",
        "adresseelectronique",
        "emailadres",
        "mailadres",
        "epost",
        "epostadress",
        "mejl",
        "mejladress",
        "emailadress",
        "mailadress",
        "contactemail",
        "primaryemail",
        "subscriberemail",
        "email1",
        "email1value",
    ),
    "first_name": (
        "firstname",
        "first",
        "givenname",
        "forename",
        "fname",
        "prenom",
        "voornaam",
        "roepnaam",
        "fornamn",
        "tilltalsnamn",
        "contactfirstname",
    ),
    "last_name": (
        "lastname",
        "last",
        "surname",
        "familyname",
        "lname",
        "nom",
        "nomdefamille",
        "achternaam",
        "familienaam",
        "efternamn",
        "contactlastname",
    ),
    FULL_NAME: (
        "name",
        "fullname",
        "nomcomplet",
        "nometprenom",
        "naam",
        "volledigenaam",
        "namn",
        "fullstandigtnamn",
        "contactname",
        "displayname",
    ),
    "organisation": (
        "organisation",
        "organization",
        "company",
        "companyname",
        "employer",
        "entreprise",
        "societe",
        "raisonsociale",
        "organisatie",
        "bedrijf",
        "bedrijfsnaam",
        "werkgever",
        "foretag",
        "foretagsnamn",
        "bolag",
        "account",
        "accountname",
    ),
    "phone": (
        "phone",
        "phonenumber",
        "telephone",
        "tel",
        "mobile",
        "mobilephone",
        "cell",
        "portable",
        "numerodetelephone",
        "telefoon",
        "telefoonnummer",
        "mobiel",
        "gsm",
        "telefon",
        "telefonnummer",
        "mobil",
        "mobiltelefon",
    ),
    "city": ("city", "town", "ville", "localite", "stad", "plaats", "woonplaats", "gemeente", "ort", "postort"),
    "country": ("country", "countrycode", "pays", "land", "landcode", "landkod"),
    "language": ("language", "lang", "locale", "languagecode", "langue", "taal", "taalcode", "sprak", "sprakkod"),
    "reference": (
        "reference",
        "ref",
        "id",
        "externalid",
        "customerid",
        "customernumber",
        "customerno",
        "numeroclient",
        "numclient",
        "referentie",
        "klantnummer",
        "kenmerk",
        "referens",
        "kundnummer",
        "kundnr",
    ),
}
_BY_NAME = {name: field for field, names in KNOWN.items() for name in names}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", folded(name))


def is_known(name: str, field: str = "") -> bool:
    """Whether `name` is how people call a column of contacts (the column of `field`)."""
    found = _BY_NAME.get(_plain(name))
    return found is not None if not field else found == field


def guess(columns: Sequence[str], sample: Sequence[Record], further: Mapping[str, str]) -> dict[str, str]:
    """The number of a column (from 0, as text) → field, for every column that can be guessed.

    Args:
        further: key → label of the further fields.
    """
    labels = {_plain(word): f"field:{key}" for key, label in further.items() for word in (key, label)}
    found: dict[str, str] = {}
    for number, name in enumerate(columns):
        field = _BY_NAME.get(_plain(name)) or labels.get(_plain(name))
        if field and field not in found.values():
            found[str(number)] = field
    if "address" not in found.values():
        best = _column_of_addresses(len(columns), sample)
        if best is not None:
            found[str(best)] = "address"
    if {"first_name", "last_name"} & set(found.values()):
        found = {number: field for number, field in found.items() if field != FULL_NAME}
    return found


def _column_of_addresses(width: int, sample: Sequence[Record]) -> int | None:
    counts = [
        sum(1 for record in sample if number < len(record.cells) and record.cells[number].count("@") == 1)
        for number in range(width)
    ]
    best = max(range(width), key=counts.__getitem__, default=None)
    return best if best is not None and counts[best] else None
