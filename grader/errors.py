"""Whose fault it is: every way in which grading can stop, by the side at fault.

A student's fault becomes a ``Failure`` with one of the machine-readable ``REASONS``. A fault of the
grader becomes a ``BrokenError`` and withholds the grade. A wrong command line or rubric is a
``UsageError``.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, TypeVar, get_args

Reason = Literal[
    "mismatch",
    "wrong_shape",
    "wrong_dtype",
    "not_finite",
    "exception",
    "not_implemented",
    "missing",
    "import_error",
    "timeout",
    "memory",
    "crashed",
    "output_limit",
    "forbidden",
    "below_threshold",
    "mutated_input",
]
REASONS: frozenset[str] = frozenset(get_args(Reason))
Self = TypeVar("Self", bound="Closing")


@dataclass(frozen=True)
class Cause:
    """Why something is wrong, as far as that is known: what a whole class can be counted by.

    Attributes:
        id: stable from run to run and from student to student, such as ``factor`` or
            ``exception.ValueError``; docs/reports.md lists them.
        text: the same for people.
    """

    id: str
    text: str


# What the assignment's own code may raise: a sys.exit() in it must not end a run, least of all with
# status 0. KeyboardInterrupt comes from the person at the keyboard.
RAISED = (Exception, SystemExit)


class GraderError(Exception):
    """Base of all errors that a person sees as one message, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints in place of a traceback."""
        return [f"error: {self}"]


class UsageError(GraderError):
    """The command line names something that does not exist or makes no sense (exit status 2)."""


class RubricError(UsageError):
    """A rubric has problems; ``problems`` holds one line each, with file and line number."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BrokenError(GraderError):
    """The grader failed: no grade may be issued (outcome ``broken``, exit status 3)."""


class IsolationError(GraderError):
    """This machine cannot isolate student code as well as required: nothing is graded."""


class Failure(Exception):  # noqa: N818 - the student's failure is an outcome, no error of the grader
    """Student code failed a check: ``reason`` for machines, the message for people."""

    def __init__(self, reason: Reason, message: str, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.cause = cause


class Blocked(Exception):  # noqa: N818 - an outcome: nothing can be said until something else works
    """A check cannot be judged because something it depends on is missing."""

    def __init__(self, reason: Reason, message: str, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.cause = cause


class Pending(Exception):  # noqa: N818 - an outcome: a person decides
    """A check that a person must mark; ``text`` of ``file`` is what there is to mark.

    ``others`` are files, by name, that only a person can read.
    """

    def __init__(
        self, message: str, file: str, text: str, others: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.text = text
        self.others = tuple(others)


class WorkerLost(Failure):
    """The worker died, cheated or was killed. ``retry`` says whether a second try is fair."""

    def __init__(self, reason: Reason, message: str, *, retry: bool) -> None:
        super().__init__(reason, message)
        self.retry = retry


class AskAgainError(Exception):
    """A check that was asked all at once is not all right: ask again, case by case.

    Nobody is at fault yet.
    """


class Closing(abc.ABC):
    """Base of context managers that are closed when their block is left."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release everything."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
