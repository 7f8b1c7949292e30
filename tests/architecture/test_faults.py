"""Each fault of the plan has tests that show what must be seen, and `docs/explanation/faults.md` names just these.

A test says so itself, with `@pytest.mark.fault("F03")`; it is read as text here, so that none has to run.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "faults.md"
PLANNED = "F01 F02 F03 F04 F05 F06 F08 F09 F10 F11 F12 F13 F14 F16 F17 F19 F20 F22 F23 F24 F25 F26 F27 F29 F30 F34"


def marked() -> dict[str, set[str]]:
    """Fault → the tests that say they show it, as `file.py::test`; of whole files that say so, all of theirs."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted([*ROOT.glob("src/envoi/**/test_*.py"), *ROOT.glob("tests/**/test_*.py")]):
        text = path.read_text()
        if "mark.fault(" not in text or path == Path(__file__):
            continue
        tree = ast.parse(text)
        everywhere = [
            fault
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if node.targets[0].id == "pytestmark"
            for fault in faults(node.value)
        ]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for fault in [*everywhere, *(fault for mark in node.decorator_list for fault in faults(mark))]:
                    found[fault].add(f"{path.name}::{node.name}")
    return found


def faults(expression: ast.expr) -> list[str]:
    """The faults of the `pytest.mark.fault("…")` in an expression."""
    return [
        ast.literal_eval(node.args[0])
        for node in ast.walk(expression)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"
    ]


def listed() -> dict[str, set[str]]:
    """Fault → the tests that its row of the page names."""
    rows = re.findall(r"^\| (F\d\d) \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {fault: set(re.findall(r"`(test_\w+\.py::test_\w+)`", row)) for fault, row in rows}


def test_every_planned_fault_is_shown_by_a_test() -> None:
    assert set(PLANNED.split()) - set(marked()) == set()


def test_the_page_of_faults_names_the_tests_that_there_are() -> None:
    assert listed() == marked()
