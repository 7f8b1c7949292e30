"""What has to be read at once fits on a few screens.

Files up to 300 lines, functions up to 40; tests, which are lists and stories, up to 450 and 80.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
LONGEST_TEST_FILE, LONGEST_TEST = 450, 80


def sources() -> Iterator[Path]:
    for path in sorted([*ROOT.glob("src/envoi/**/*.py"), *ROOT.glob("tests/**/*.py")]):
        if "migrations" not in path.parts:
            yield path


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines()))
        > (LONGEST_TEST_FILE if "tests" in path.parts else LONGEST_FILE)
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": lines
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := own_lines(node)) > (LONGEST_TEST if "tests" in path.parts else LONGEST_FUNCTION)
    }
    assert long == {}


def own_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its decorators and docstring."""
    first, last = node.lineno, node.end_lineno or node.lineno
    documented = ast.get_docstring(node) is not None and len(node.body) > 1
    return last - first + 1 - ((node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0)
