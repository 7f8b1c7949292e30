"""The reference of the command line names every command and every option."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from envoi.cli import COMMANDS

REFERENCE = Path(__file__).resolve().parents[4] / "docs/reference/command-line.md"


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--") and name != "--help")
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


@pytest.mark.parametrize("name", COMMANDS)
def test_it_stands_there_with_its_options(name: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"envoi.cli.{COMMANDS[name].module}").add_arguments(parser)
    text = REFERENCE.read_text()
    assert f"`{name}" in text
    assert [option for option in options(parser) if f"`{option}" not in text] == []
