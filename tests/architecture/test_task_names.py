"""Tasks are asked for by name, so that no domain imports another one's tasks: every name must have its task."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path

from envoi.config.recurring import RECURRING
from envoi.core.tasks import registered

SOURCES = Path(__file__).resolve().parents[2] / "src" / "envoi"


def asked_for() -> dict[str, list[tuple[str, set[str]]]]:
    """Every name in a call of `later`, with where it stands and the arguments that are named there."""
    found: dict[str, list[tuple[str, set[str]]]] = {}
    for path in SOURCES.rglob("*.py"):
        if "tests" in path.parts or path.name in {"registry.py", "scheduler.py"}:
            continue  # the scheduler's names are those of the list below
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name_of(node.func) in {"later", "later_unless_waiting"}:
                where = f"{path.relative_to(SOURCES)}:{node.lineno}"
                named = {keyword.arg for keyword in node.keywords if keyword.arg}
                found.setdefault(constant(node), []).append((where, named - {"run_after", "priority"}))
    return found


def name_of(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def constant(call: ast.Call) -> str:
    """The task's name; it must be written out, so that it can be searched for."""
    if call.args and isinstance(call.args[0], ast.Constant):
        return str(call.args[0].value)
    return ast.unparse(call)


def fits(named: set[str], function: Callable[..., None]) -> bool:
    """Whether the function may be called with these arguments."""
    try:
        inspect.signature(function).bind(**dict.fromkeys(named))
    except TypeError:
        return False
    return True


def test_every_task_that_is_asked_for_exists_and_takes_the_arguments() -> None:
    wrong = []
    for name, places in asked_for().items():
        for where, named in places:
            if name not in registered():
                wrong.append(f"{where}: no task is named {name}")
            elif not fits(named, registered()[name].function):
                wrong.append(f"{where}: {name} takes other arguments than {sorted(named)}")
    assert wrong == []


def test_every_recurring_task_exists_takes_nothing_and_is_listed_once() -> None:
    names = [entry.name for entry in RECURRING]
    assert sorted(names) == sorted(set(names))
    parameters = {name: list(inspect.signature(registered()[name].function).parameters) for name in names}
    assert parameters == {name: [] for name in names}


def test_every_task_is_named_after_its_domain() -> None:
    strangers = {
        name: definition.function.__module__
        for name, definition in registered().items()
        if definition.function.__module__.startswith("envoi.")
        and ".tests." not in definition.function.__module__
        and name.partition(".")[0] != definition.function.__module__.split(".")[1]
    }
    assert strangers == {}
