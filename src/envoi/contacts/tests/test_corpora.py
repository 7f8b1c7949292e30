"""Files, addresses and strings that nobody here wrote; they stand beside the project, not in it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role, User
from envoi.contacts.actions import contacts
from envoi.contacts.importing import detect
from envoi.contacts.importing.records import rows
from envoi.contacts.models import Contact, FieldDefinition, Import
from envoi.contacts.tests.factories import started
from envoi.contacts.values import LONGEST, TEXT_FIELDS
from envoi.core import addresses, csv_export
from envoi.core.tasks.testing import run_due

CORPORA = Path(__file__).parents[5] / "shared" / "corpora"


def of_corpora(*parts: str) -> Path:
    path = CORPORA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the samples {'/'.join(parts)} are not beside the project")
    return path


def read(path: Path) -> tuple[detect.Shape, list[list[str]]]:
    with path.open("rb") as stream:
        shape = detect.shape(stream)
        stream.seek(0)
        return shape, [row.cells for row in rows(stream, shape.encoding, shape.delimiter, shape.skip)]


@pytest.mark.parametrize(
    "name",
    [
        "comma_in_quotes",
        "empty",
        "empty_crlf",
        "escaped_quotes",
        "json",
        "newlines",
        "newlines_crlf",
        "quotes_and_newlines",
        "simple",
        "simple_crlf",
        "utf8",
    ],
)
def test_csv_spectrum_is_read_as_its_authors_say(name: str) -> None:
    folder = of_corpora("csv", "csv-spectrum")
    shape, found = read(folder / "csvs" / f"{name}.csv")
    expected = json.loads((folder / "json" / f"{name}.json").read_text())
    # Blanks around a cell are dropped everywhere in Envoi; one of the samples has some.
    stripped = [{key: str(value).strip() for key, value in row.items()} for row in expected]
    assert [dict(zip(shape.columns, row, strict=True)) for row in found] == stripped


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter", "first_columns", "count"),
    [
        ("211.csv", None, ",", ["ResourceAgencyNum", "PublicName"], None),
        ("complex.csv", "utf-8-sig", ",", ["date", "another date", "temperature", "place"], 3),
        ("example.tsv", "utf-8-sig", "\t", ["hour", "expr1_0_imp"], None),
        ("excel_pasting.csv", "utf-8-sig", ",", ["Year", "2000", "2001"], None),
        ("long.csv", "utf-8-sig", ",", ["foo"], None),
        ("mixedGLB.csv", "utf-8-sig", ",", ["Year", "Jan", "Feb"], None),
        ("simple.csv", "utf-8-sig", ",", ["date", "temperature", "place"], 6),
        ("simple.psv", "utf-8-sig", "|", ["Year", "New dwellings"], None),
        ("simple.ssv", "utf-8-sig", ";", ["date", "temperature", "place"], 6),
        ("skip_initials.csv", "utf-8-sig", ",", ["field1", "field2"], 2),
        ("small.csv", "utf-8-sig", ",", ["a"], 0),
        ("spanish_chars.csv", "cp1252", ",", ["GF_ID", "FN_ID", "SF_ID", "GF", "F"], None),
        ("sparse_with_column_errors.csv", "cp1252", ",", ["LP", "Bezeichnung", "Kapitel/Titel"], None),
        ("utf-16le_encoded.csv", "utf-16", ",", ["Organisation_code", "Organisation_name"], None),
        ("utf8bom.csv", "utf-8-sig", ",", ["kitten", "win"], None),
        ("null.csv", "utf-8-sig", ",", None, None),
        ("characters.csv", None, ",", None, None),
        ("begrotingsanalyse-2011.csv", None, ",", None, None),
        ("weird_head_padding.csv", "utf-8-sig", ";", None, None),
    ],
)
def test_horrible_files_are_read_or_refused_with_a_reason(
    name: str, encoding: str | None, delimiter: str, first_columns: list[str] | None, count: int | None
) -> None:
    shape, found = read(of_corpora("csv", "messytables-horror", name))
    assert shape.delimiter == delimiter
    assert encoding is None or shape.encoding == encoding
    assert first_columns is None or shape.columns[: len(first_columns)] == first_columns
    assert count is None or len(found) == count
    assert len(set(shape.columns)) == len(shape.columns)


def samples(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in of_corpora("addresses", name).read_text().splitlines()]


def accepted(text: str) -> bool:
    try:
        addresses.parse(text)
    except addresses.AddressError:
        return False
    return True


# Envoi forgives blanks around an address, and takes no mail to a bare top-level domain (RFC 7085 advises against it).
FORGIVEN = {"ISEMAIL_ERR", "ISEMAIL_CFWS", "ISEMAIL_DEPREC"}
DOTLESS = {"test@io"}


def test_addresses_are_taken_and_refused_as_the_isemail_collection_says() -> None:
    rows_ = samples("isemail_tests.jsonl")
    assert len(rows_) > 100
    for row in rows_:
        text, category = row["address"], row["category"]
        good = category in {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN"} and text not in DOTLESS
        if category in FORGIVEN and text != text.strip():
            good = accepted(text.strip())
        assert accepted(text) is good, row


def test_addresses_are_taken_and_refused_as_djangos_own_tests_say() -> None:
    for row in samples("django_validate_email.jsonl"):
        text = row["address"]
        if text is None or text != text.strip():
            continue
        local, _at, domain = text.rpartition("@")
        good = row["valid"] and not domain.startswith("[") and not local.startswith('"') and domain != "localhost"
        assert accepted(text) is good, row


def test_no_formula_of_the_collection_leaves_in_a_shape_that_runs() -> None:
    text = of_corpora("csv", "csv-injection-payloads", "csv-payload.txt").read_text()
    payloads = [line.strip() for line in text.splitlines() if line.strip()]
    assert len(payloads) > 3
    for payload in payloads:
        cell = csv_export.neutral(payload)
        assert not cell.startswith(csv_export.FORMULA_STARTS)
        assert csv_export.restored(cell) == payload


def naughty() -> list[str]:
    strings = json.loads(of_corpora("naughty-strings", "blns.json").read_text())
    return [text.strip() for text in strings if text.strip() and "\x00" not in text]


@pytest.mark.django_db
@pytest.mark.parametrize("field", [*TEXT_FIELDS, "field:note"])
def test_every_field_takes_and_gives_back_naughty_strings(
    field: str, client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.ENVOI_DATA = tmp_path
    FieldDefinition.objects.create(key="note", label="Note")
    wanted = {f"p{number}@example.org": text for number, text in enumerate(naughty())}
    longest = LONGEST.get(field, 1000)
    wanted = {address: text[:longest].strip() for address, text in wanted.items()}
    for address, text in wanted.items():
        contacts.create({"address": address, field: text}, actor=None)
    assert stored(field) == wanted
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    assert client.get(reverse("contacts:list")).status_code == 200
    exported = b"".join(client.get(reverse("contacts:export")).streaming_content)  # type: ignore[attr-defined]
    cells = [row.cells for row in rows(BytesIO(exported), "utf-8-sig", ",", 0)]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert not [cell for row in cells for cell in row if cell.startswith(csv_export.FORMULA_STARTS)]
    again = started(exported)
    run_due()
    again.refresh_from_db()
    assert (again.status, again.rows, again.unchanged) == (Import.Status.FINISHED, len(wanted), len(wanted))
    Contact.objects.all().delete()
    started(exported)
    run_due()
    assert stored(field) == wanted


def stored(field: str) -> dict[str, str]:
    key = field.removeprefix("field:")
    return {
        row.address: row.fields.get(key, "") if field.startswith("field:") else getattr(row, key)
        for row in Contact.objects.all()
    }


@pytest.mark.django_db
def test_naughty_searches_find_no_fault(client: Client) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    contacts.create({"address": "ada@example.org"}, actor=None)
    for text in naughty()[::5]:
        assert client.get(reverse("contacts:list"), {"q": text, "list": text, "cursor": text}).status_code == 200
        assert client.get(reverse("audiences:targets"), {"q": text}).status_code == 200
