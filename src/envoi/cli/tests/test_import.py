"""`envoi import` from the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from envoi.audiences.actions import lists
from envoi.audiences.models import List, Subscription
from envoi.cli import import_
from envoi.contacts.models import Contact, FieldDefinition, Import, ImportPiece

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path / "data"
    return tmp_path / "data"


def called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    import_.add_arguments(parser)
    return import_.run(parser.parse_args(words))


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "people.csv"
    path.write_text(text)
    return str(path)


def test_a_file_fills_a_new_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "Mail;Vorname;Size\nada@example.org;Ada;37\nbob@example.org;Bob;\n")
    code = called(
        file, "--list", "Friends", "--kind", "lead", "--map", "Vorname=first_name", "--map", "Size=new", "--json"
    )
    assert code == 0
    result = json.loads(capsys.readouterr().out)
    assert result == {
        "status": "finished",
        "rows": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "suppressed": 0,
        "problem": "",
        "problems": [],
    }
    assert list(Contact.objects.order_by("id").values_list("kind", "first_name", "fields")) == [
        ("lead", "Ada", {"size": "37"}),
        ("lead", "Bob", {}),
    ]
    assert Subscription.objects.filter(list__name="Friends").count() == 2
    assert called(file, "--list", "Friends", "--kind", "lead") == 0
    assert Subscription.objects.count() == 2


def test_refused_rows_are_named_and_change_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(written(tmp_path, "email\nada@example.org\nwrong\n")) == 3
    printed = capsys.readouterr()
    assert "line 3, column email: “wrong” is not an e-mail address" in printed.err
    assert "created" in printed.out


def test_a_strangers_file_does_not_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(written(tmp_path, "email\nada@example.org\n\x1b[2Jgone\n")) == 3
    assert "“\ufffd[2Jgone” is not an e-mail address" in capsys.readouterr().err


def test_a_file_whose_name_is_no_text_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.csv"
    path.write_text("email\nada@example.org\n")
    assert called(str(path)) == 0
    assert Import.objects.get().file_name == "caf?.csv"


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "email,size\nada@example.org,1\nada@example.org,2\nwrong,3\n")
    assert called(file, "--dry-run", "--map", "size=new", "--list", "Friends", "--json") == 3
    result = json.loads(capsys.readouterr().out)
    assert (result["rows"], result["new"], result["known"], result["rejected"]) == (3, 1, 1, 1)
    assert result["columns"] == {"email": "address", "size": "new"}
    for table in (Contact, Import, ImportPiece, List, FieldDefinition):
        assert not table.objects.exists()


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (None, (), "cannot be read (No such file or directory)"),
        ("", (), "The file is empty"),
        ("name\nAda\n", (), "Say which column holds the e-mail address. Its columns are: name. Match them with --map"),
        ("email,name\n", (), "a header but no rows"),
        ("email\na@example.org\n", ("--map", "mail=address"), "the file has no column “mail”. Its columns are: email."),
        ("email\na@example.org\n", ("--map", "email=robot"), "a field that does not exist"),
        ("email\na@example.org\n", ("--encoding", "rot13"), "Choose an encoding"),
        ('email\n"a@example.org\n', (), "never closed"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    tmp_path: Path,
    text: str | None,
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = written(tmp_path, text) if text is not None else str(tmp_path / "none.csv")
    assert called(file, *words) == 1
    assert said in capsys.readouterr().err
    assert not Contact.objects.exists()
    assert not Import.objects.exclude(status=Import.Status.FAILED).exists()
    assert not ImportPiece.objects.exists()


def test_a_file_that_fails_leaves_no_empty_list_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(written(tmp_path, 'email\n"ada@example.org\n'), "--list", "Friends") == 1
    assert "never closed" in capsys.readouterr().err
    assert not List.objects.exists()
    assert not Contact.objects.exists()


def test_a_list_that_was_there_before_stays_when_a_file_fails(tmp_path: Path) -> None:
    lists.create("Friends", actor=None)
    assert called(written(tmp_path, 'email\n"ada@example.org\n'), "--list", "Friends") == 1
    assert List.objects.get().name == "Friends"
