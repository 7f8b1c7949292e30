"""The command line in itself: overview, wrong use, and faults in words."""

from __future__ import annotations

import errno
import importlib
import sqlite3

import pytest
from django.db import OperationalError

from envoi import cli
from envoi.cli.faults import explain


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if f"\n  {name} " not in shown] == []


def test_without_a_command_the_overview_is_shown_and_it_counts_as_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "Usage: envoi COMMAND" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("envoi ")


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["updog"]) == 2
    assert capsys.readouterr().err == "envoi: there is no command “updog”. “envoi --help” lists them.\n"


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_can_be_loaded_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"envoi.cli.{cli.COMMANDS[name].module}")
    assert callable(module.run)
    parser = cli.common_arguments(name, cli.COMMANDS[name])
    module.add_arguments(parser)
    assert parser.format_help().startswith(f"usage: envoi {name}")


def test_a_port_outside_the_range_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["up", "--port", "70000"])
    assert leaving.value.code == 2
    assert "“70000” is no port number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OperationalError("database or disk is full"), "The disk is full: make room"),
        (OperationalError("attempt to write a readonly database"), "check the rights on the data folder"),
        (OperationalError("no such table: core_taskrow"), "run “envoi migrate”"),
        (OperationalError('password authentication failed for user "ada"'), "refuses the user or password"),
        (OperationalError('database "mail" does not exist'), "Make it with createdb"),
        (OperationalError('could not translate host name "pg"'), "The host name is not known"),
        (OSError(errno.ENOSPC, "No space left on device", "/srv/envoi"), "The disk is full: make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/envoi"), "choose another folder with --data"),
    ],
)
def test_faults_are_one_line_with_the_remedy(error: OSError | OperationalError, remedy: str) -> None:
    said = explain(error)
    assert remedy in said
    assert "\n" not in said
    if isinstance(error, OSError):
        assert "/srv/envoi" in said


def test_a_damaged_database_file_is_recognised() -> None:
    error = OperationalError("database disk image is malformed")
    error.__cause__ = sqlite3.DatabaseError("database disk image is malformed")
    assert "restore it from a backup" in explain(error)
