"""What can be wrong with a piece of content, said so that its author can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Attributes:
        field: where it stands: subject, preheader, body, text, layout_html or layout_text.
        line: counted from 1; 0 when the fault is of the whole field.
        message: for a person, with the remedy.
    """

    field: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.field}:{self.line}: {self.message}" if self.line else f"{self.field}: {self.message}"


class ContentError(ValueError):
    """The content cannot be compiled or rendered; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))
