"""What Envoi makes of files that are not quite what they say."""

from __future__ import annotations

from io import BytesIO

import pytest

from envoi.contacts.importing import detect
from envoi.contacts.importing.records import Unreadable, rows

PEOPLE = "email,first_name\nchloe@example.org,Chloé\nasa@example.org,Åsa\n".encode()


def test_a_few_broken_bytes_do_not_spoil_the_names_of_all_others() -> None:
    with pytest.raises(Unreadable, match=r"^Line 4 is not in the encoding UTF-8\..*save the file again as “CSV UTF-8”"):
        detect.shape(BytesIO(PEOPLE + b"bob@example.org,B\xf6b\n"))


def test_a_file_cut_within_a_sign_is_still_utf_8() -> None:
    assert detect.shape(BytesIO(PEOPLE + b"dmitri@example.org,\xd0")).encoding == "utf-8-sig"


def test_western_accents_are_no_broken_utf_8() -> None:
    assert detect.shape(BytesIO(PEOPLE.decode().encode("cp1252"))).encoding == "cp1252"


def test_the_end_of_file_mark_of_old_programs_is_no_row() -> None:
    stream = BytesIO(PEOPLE + b"\x1a")
    shape = detect.shape(stream)
    stream.seek(0)
    found = [record.cells[0] for record in rows(stream, shape.encoding, shape.delimiter, shape.skip)]
    assert found == ["chloe@example.org", "asa@example.org"]


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><table>", b"\xef\xbb\xbf\n <HTML>\nemail"])
def test_a_web_page_that_is_called_csv_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="This is a web page, not a CSV file"):
        detect.shape(BytesIO(content))
