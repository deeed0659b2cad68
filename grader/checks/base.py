"""What every check kind is made of: its context, its judgment, and the kind itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from grader.assignment.kinds import RubricKind
from grader.author.evidence import Figure
from grader.model import Part, Question, Tier

from .student_code import StudentModule

if TYPE_CHECKING:
    from pathlib import Path

    from grader.assignment.reference import Assignment

STOPS_THE_CHECK: frozenset[str] = frozenset(["not_implemented", "missing", "import_error"])


@dataclass(frozen=True)
class Judgement:
    """What a check found: parts whose shares add up to one, notes, and measured values.

    ``message`` replaces the messages of the parts where these would repeat each other; ``figures``
    are for the report.
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    measurements: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Context:
    """Everything a check may use.

    ``open_module`` starts a fresh worker with the student's module loaded; it raises ``Failure``
    if that is impossible. Its argument is the seed of the worker's random generators.
    ``read_file`` returns the bytes of a file of the submission; it raises ``Failure`` if the file
    is missing or too large. ``device`` is where training should run, ``cpu`` or ``cuda``.
    ``open_reference`` is like ``open_module``, with the reference in the submission's place, under
    the same limits; it raises ``Unloadable`` if the reference needs its package around it, and is
    None where there is no reference. No worker of the student's may be open then.
    """

    assignment: Assignment
    question: Question
    seed: int
    tier: Tier
    data: Path | None
    open_module: Callable[[int], AbstractContextManager[StudentModule]]
    read_file: Callable[[str], bytes]
    device: str = "cpu"
    open_reference: Callable[[int], AbstractContextManager[StudentModule]] | None = None


class Unloadable(Exception):  # noqa: N818 - not an error: the reference need not be usable so
    """The reference cannot be imported as a submission is."""


class CheckKind(RubricKind, Protocol):
    """One kind of check: a name, the keys it adds to the rubric, and its judgement."""

    def run(self, spec: Any, context: Context) -> Judgement:
        """Judge. Raises ``Failure`` or ``Blocked`` when nothing can earn points."""


class Quiet:
    """Mixin of kinds that find nothing out by running the reference."""

    def disagreements(self, spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
        """Yield nothing."""
        del self, spec, question, assignment
        yield from ()
