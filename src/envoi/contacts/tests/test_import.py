"""A file of people comes in: every row taken or named, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import User
from envoi.contacts.actions import import_run, imports, suppressions
from envoi.contacts.importing.records import Record, Unreadable
from envoi.contacts.models import Contact, FieldDefinition, Import, ImportPiece, ImportProblem, Kind, Suppression
from envoi.contacts.tests.factories import contact, received, started
from envoi.core import clock
from envoi.core.tasks.testing import run_due

pytestmark = pytest.mark.django_db

PEOPLE = "E-mail;Voornaam;Achternaam;Shoe size\nada@example.org;Ada;Lovelace;37\nbob@example.org;Bob;Jansen;\n"


def counts(of: Import) -> dict[str, int]:
    of.refresh_from_db()
    names = ("rows", "created", "updated", "unchanged", "rejected", "suppressed")
    return {name: getattr(of, name) for name in names if getattr(of, name)}


def test_a_dutch_file_is_understood_without_help() -> None:
    of = received(PEOPLE)
    assert (of.encoding, of.delimiter, of.skip) == ("utf-8-sig", ";", 1)
    assert of.mapping == {"0": "address", "1": "first_name", "2": "last_name"}


def test_ada_and_bob_come_in_and_a_new_field_is_made() -> None:
    of = started(PEOPLE, {"0": "address", "1": "first_name", "2": "last_name", "3": "new"})
    assert run_due() == 1
    assert counts(of) == {"rows": 2, "created": 2}
    assert of.status == Import.Status.FINISHED
    assert list(Contact.objects.order_by("address").values_list("address", "first_name", "last_name", "fields")) == [
        ("ada@example.org", "Ada", "Lovelace", {"shoe_size": "37"}),
        ("bob@example.org", "Bob", "Jansen", {}),
    ]
    assert list(FieldDefinition.objects.values_list("key", "label")) == [("shoe_size", "Shoe size")]
    assert not ImportPiece.objects.exists()


def test_the_same_file_again_changes_nothing() -> None:
    started(PEOPLE)
    run_due()
    before = list(Contact.objects.order_by("id").values())
    again = started(PEOPLE)
    run_due()
    assert counts(again) == {"rows": 2, "unchanged": 2}
    assert list(Contact.objects.order_by("id").values()) == before


def test_an_empty_cell_empties_no_field_and_a_changed_one_updates() -> None:
    contact("bob@example.org", first_name="Robert", city="Gent")
    of = started("email,first name,city\nbob@example.org,Bob,\n")
    run_due()
    assert counts(of) == {"rows": 1, "updated": 1}
    assert list(Contact.objects.values_list("first_name", "city")) == [("Bob", "Gent")]


def test_known_people_stay_as_they_are_when_asked() -> None:
    contact("bob@example.org", first_name="Robert")
    of = started("email,first name\nbob@example.org,Bob\n", update_existing=False)
    run_due()
    assert counts(of) == {"rows": 1, "unchanged": 1}
    assert Contact.objects.get().first_name == "Robert"


def test_each_refused_row_is_named_with_line_column_value_and_reason() -> None:
    of = started(
        "email,first name,phone\n"
        "ada@example.org,Ada,1\n"
        "\n"
        "not an address,Bob,2\n"
        ",Chloé,3\n"
        f"dmitri@example.org,Dmitri,{'9' * 61}\n"
        "asa@example.org,Åsa,4,too,much\n"
        "eve@example.org,E\x00ve,5\n"
    )
    run_due()
    assert counts(of) == {"rows": 6, "created": 1, "rejected": 5}
    rows = ImportProblem.objects.order_by("line").values_list("line", "column", "value", "reason")
    assert [row[:3] for row in rows] == [
        (4, "email", "not an address"),
        (5, "email", ""),
        (6, "phone", "9" * 61),
        (7, "", "too"),
        (8, "first name", "E�ve"),
    ]
    assert rows[1][3] == "The e-mail address is empty."
    assert rows[2][3] == "It has 61 characters; at most 60 fit."
    assert rows[3][3] == "The row has 5 cells, but the header names 3 columns."


def test_asa_reads_in_swedish_what_an_english_worker_refused() -> None:
    asa = User.objects.create_user("asa@example.org", language="sv")
    rows = "".join(f"p{number}@example.org,Pia\n" for number in range(20_000))
    for text in ("email,name\nada@example.org,Ada\n,Bob\n", f'email,name\n{rows}bob@example.org,"Bob\n'):
        of = imports.receive([text.encode()], "people.csv", actor=asa)
        imports.start(of, {"0": "address"}, actor=asa)
    with translation.override("en"):
        assert run_due() == 2
        assert translation.get_language() == "en"
    with translation.override("sv"):
        wanted = translation.gettext("The e-mail address is empty.")
    assert wanted != "The e-mail address is empty."
    assert list(ImportProblem.objects.values_list("reason", flat=True)) == [wanted]
    broken = Import.objects.get(status=Import.Status.FAILED)
    assert "20002" in broken.problem
    assert "quotation mark" not in broken.problem


def test_somebody_twice_in_a_file_is_one_contact_with_the_later_values() -> None:
    of = started("email,first name\nada@example.org,Ada\nADA@example.org,Augusta\nada@EXAMPLE.org,Augusta\n")
    run_due()
    assert counts(of) == {"rows": 3, "created": 1, "updated": 1, "unchanged": 1}
    assert list(Contact.objects.values_list("address", "first_name")) == [("ada@example.org", "Augusta")]


def test_an_erased_address_does_not_come_back_and_a_suppressed_one_stays_so() -> None:
    suppressions.suppress("ada@example.org", Suppression.Reason.ERASED, actor=None)
    suppressions.suppress("bob@example.org", Suppression.Reason.UNSUBSCRIBED, actor=None)
    of = started(PEOPLE)
    run_due()
    assert counts(of) == {"rows": 2, "created": 1, "rejected": 1, "suppressed": 1}
    assert list(Contact.objects.values_list("address", flat=True)) == ["bob@example.org"]
    assert Suppression.objects.count() == 2


def test_an_open_quotation_mark_in_the_last_line_leaves_nothing_behind() -> None:
    rows = "".join(f"person{n}@example.org,P{n}\n" for n in range(2500))
    of = started(f'email,first name\n{rows}ada@example.org,"Ada\n')
    run_due()
    assert counts(of) == {}
    assert of.status == Import.Status.FAILED
    assert "line 2502 is never closed" in of.problem
    assert not Contact.objects.exists()


@pytest.mark.parametrize("killed_after", [1, 2])
def test_an_import_that_is_killed_goes_on_and_counts_as_if_nothing_had_happened(
    monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    monkeypatch.setattr(import_run, "BATCH", 3)
    of = started("email\n" + "".join(f"p{n % 7}@example.org\n" for n in range(10)) + "wrong\n")
    written = import_run._write
    calls = iter(range(100))

    def die(of: Import, batch: import_run.Batch) -> None:
        written(of, batch)
        if next(calls) == killed_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(import_run, "_write", die)
    with pytest.raises(KeyboardInterrupt):
        import_run.work(of.pk, seconds=60)
    assert counts(of)["rows"] == 3 * killed_after
    assert import_run.work(of.pk, seconds=60) is False
    assert counts(of) == {"rows": 11, "created": 7, "unchanged": 3, "rejected": 1}
    assert list(ImportProblem.objects.values_list("line", flat=True)) == [12]


def test_of_two_workers_with_the_same_rows_one_writes_them() -> None:
    of = started("email\n" + "".join(f"p{n}@example.org\n" for n in range(5)) + "wrong\n")
    late = Import.objects.get(pk=of.pk)
    assert import_run.work(of.pk, seconds=60) is False
    Import.objects.filter(pk=of.pk).update(status=Import.Status.RUNNING)
    rows = [Record(line, [f"late{line}@example.org"]) for line in range(2, 8)]
    with pytest.raises(import_run._Overtaken):
        import_run._take_batch(late, import_run.reader_for(late), rows)
    assert counts(of) == {"rows": 6, "created": 5, "rejected": 1}
    assert not Contact.objects.filter(address__startswith="late").exists()
    assert ImportProblem.objects.count() == 1


def test_what_stands_still_is_woken_and_what_nobody_wants_is_given_up() -> None:
    left, still, fresh = received(PEOPLE), received(PEOPLE), received(PEOPLE)
    imports.start(still, still.mapping, in_background=False, actor=None)
    assert imports.tidy() == 0
    with clock.set_to(clock.now() + timedelta(minutes=11)):
        Import.objects.filter(pk=left.pk).update(created_at=clock.now() - timedelta(days=8))
        assert imports.tidy() == 2
        assert run_due() == 1
    states = dict(Import.objects.values_list("pk", "status"))
    assert states == {left.pk: "cancelled", still.pk: "finished", fresh.pk: "mapping"}
    assert list(ImportPiece.objects.values_list("stored_as", flat=True)) == [fresh.stored_as]


def test_a_long_import_takes_turns() -> None:
    of = started("email\n" + "".join(f"p{n}@example.org\n" for n in range(2500)))
    assert import_run.work(of.pk, seconds=0) is True
    assert counts(of) == {"rows": 1000, "created": 1000}
    assert import_run.work(of.pk, seconds=0) is True
    assert import_run.work(of.pk, seconds=0) is False
    assert counts(of) == {"rows": 2500, "created": 2500}


def test_a_cancelled_import_takes_no_more_rows() -> None:
    of = started("email\n" + "".join(f"p{n}@example.org\n" for n in range(1500)))
    import_run.work(of.pk, seconds=0)
    imports.cancel(of, actor=None)
    assert import_run.work(of.pk, seconds=60) is False
    assert counts(of) == {"rows": 1000, "created": 1000}
    assert of.status == Import.Status.CANCELLED
    assert not ImportPiece.objects.exists()
    with pytest.raises(imports.NotNow):
        imports.cancel(of, actor=None)


def test_a_batch_costs_the_same_number_of_statements_whoever_is_in_it(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    of = started("email,first name\n" + "".join(f"p{n}@example.org,{n}\n" for n in range(1000)))
    with django_assert_max_num_queries(35):  # SQLite takes at most 999 values in one statement
        import_run.work(of.pk, seconds=60)
    assert Contact.objects.count() == 1000


def test_a_row_that_names_nobody_stops_before_it_starts() -> None:
    of = received("name,city\nAda,London\n")
    with pytest.raises(imports.WrongMapping, match="e-mail address"):
        imports.start(of, of.mapping, actor=None)
    of.refresh_from_db()
    assert of.status == Import.Status.MAPPING
    assert run_due() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"PK\x03\x04rest", "save it as “CSV UTF-8”"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\x7fELF\x02" + bytes(range(32)) * 90, "holds no text"),
        (b"email,first_name\n", "a header but no rows"),
        (b'email\n"ada@example.org\n', "line 2 is never closed"),
        (b"a" * 300_000, "Line 1 holds a cell of more than 131072 characters"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_remedy(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        received(content)
    assert not Import.objects.exists()
    assert not ImportPiece.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_delimiter_and_line_end_is_found(encoding: str, delimiter: str, line_end: str) -> None:
    lines = [
        ["Courriel", "Prénom", "Ville"],
        ["chloe@example.org", "Chloé", "Liège"],
        ["asa@example.org", "Åsa", "Umeå"],
    ]
    of = started(line_end.join(delimiter.join(line) for line in lines).encode(encoding))
    run_due()
    assert list(Contact.objects.order_by("id").values_list("address", "first_name", "city")) == [
        ("asa@example.org", "Åsa", "Umeå"),
        ("chloe@example.org", "Chloé", "Liège"),
    ]
    assert of.delimiter == delimiter


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    of = started(b"email\nada@example.org\n" + b"a" * 1_200_000)
    run_due()
    of.refresh_from_db()
    assert "Line 3 is longer than 1000000 characters" in of.problem
    assert not Contact.objects.exists()


def test_titles_and_blank_lines_before_the_header_are_passed_over() -> None:
    of = received('Members 2026,,\n,,\n\n"Name","E-mail","E-mail"\n"Lovelace, Ada",ada@example.org,x\n')
    assert of.skip == 4
    assert of.columns == ["Name", "E-mail", "E-mail (2)"]
    assert of.mapping == {"0": "name", "1": "address"}
    imports.start(of, of.mapping, kind=Kind.LEAD, actor=None)
    run_due()
    assert list(Contact.objects.values_list("kind", "first_name", "last_name")) == [("lead", "Ada", "Lovelace")]


def test_a_file_without_a_header_loses_no_row() -> None:
    of = received("Ada,ada@example.org\nBob,bob@example.org\n")
    assert (of.skip, of.columns, of.mapping) == (0, ["Column 1", "Column 2"], {"1": "address"})


def test_another_delimiter_may_be_chosen_by_hand() -> None:
    of = received("email;note,more\nada@example.org;x,y\n")
    imports.read_again(of, encoding="cp1252", delimiter=",", actor=None)
    assert (of.encoding, of.columns) == ("cp1252", ["email;note", "more"])
    with pytest.raises(Unreadable, match="Choose an encoding"):
        imports.read_again(of, encoding="rot13", delimiter=",", actor=None)
