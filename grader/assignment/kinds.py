"""What reading a rubric needs to know of a kind of check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from grader.assignment.reference import Assignment
from grader.model import CheckSpec, Question


class RubricKind(Protocol):
    """A kind as a rubric sees it: its name, its keys, and what it makes of the reference."""

    @property
    def name(self) -> str:
        """The value of ``kind`` in a rubric."""

    @property
    def options(self) -> type[CheckSpec]:
        """The rubric keys of this kind."""

    def problems(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield what in a valid-looking ``spec`` does not fit the assignment's reference."""

    def disagreements(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield what the reference, when it is run, does not do as ``spec`` says."""
