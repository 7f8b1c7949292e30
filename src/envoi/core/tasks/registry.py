"""Names of tasks: what may be asked for, on which queue it runs and how often it is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from django_tasks import task as django_task
from django_tasks.base import Task

from envoi.core import clock
from envoi.core.tasks.engine import engine

Function = TypeVar("Function", bound=Callable[..., None])


class UnknownTask(LookupError):
    """Nothing of this name was declared: a wrong name, or a task of an older or newer version of Envoi."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One declared task.

    Attributes:
        attempts: how often it is tried in all before it is kept as failed.
    """

    name: str
    function: Callable[..., None]
    task: Task[..., None]
    attempts: int


_by_name: dict[str, Definition] = {}


def task(name: str, *, queue: str = "default", attempts: int = 5) -> Callable[[Function], Function]:
    """Declare a module-level function as the task `name`; it stays a plain function that may also be called.

    Its arguments must be JSON: numbers, texts, lists, objects of them.
    """

    def declare(function: Function) -> Function:
        taken = _by_name.get(name)
        if taken is not None and taken.function.__module__ != function.__module__:
            raise ValueError(f"two tasks are named {name}: in {taken.function.__module__} and {function.__module__}")
        _by_name[name] = Definition(name, function, django_task(queue_name=queue)(function), attempts)
        return function

    return declare


def registered() -> Mapping[str, Definition]:
    """Every declared task, by name."""
    return MappingProxyType(_by_name)


def find(name: str) -> Definition:
    """The task `name`.

    Raises:
        UnknownTask: nothing of this name was declared.
    """
    try:
        return _by_name[name]
    except KeyError:
        raise UnknownTask(f"no task is named “{name}”") from None


def name_of(declared: Task[..., Any]) -> str:
    """The name under which Django's task object was declared here.

    Raises:
        UnknownTask: it was declared elsewhere.
    """
    for definition in _by_name.values():
        if definition.function is declared.func:
            return definition.name
    raise UnknownTask(f"{declared.module_path} was not declared with envoi.core.tasks.task")


def later_unless_waiting(name: str, *, run_after: datetime | None = None, **arguments: Any) -> bool:
    """Ask for the task `name` unless one waits that may run by then, whatever its arguments; whether it was asked for.

    Only for work that somebody who is awake passes on, again and again: the one that waits may be taken, and end,
    before this transaction is committed. What others changed is told with `later`.
    """
    if engine().is_waiting(name, max(run_after or clock.now(), clock.now())):
        return False
    later(name, run_after=run_after, **arguments)
    return True


def later(name: str, *, run_after: datetime | None = None, priority: int = 0, **arguments: Any) -> None:
    """Ask for the task `name`, to be run once this transaction is committed.

    Args:
        run_after: not before this moment (aware).
        priority: −100 … 100, the greater first.
        arguments: what the task is called with; JSON.

    Raises:
        UnknownTask: nothing of this name was declared.
    """
    find(name).task.using(run_after=run_after, priority=priority).enqueue(**arguments)
