"""Checking on a student's own machine: no isolation, no pytest, each result as soon as it is there.

Nothing here needs anything that only some operating systems have.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment
from grader.closing import Closing
from grader.errors import BrokenError
from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.sandbox.plain import PlainServer, ProcessPool
from grader.session import Session, Settings
from grader.submission import Submission

Chosen = tuple[Question, CheckSpec]


class PlainWorkshop(Closing):
    """Plain workers for one look at a student's folder.

    Args:
        upcoming: the checks that will be run, in order.
    """

    def __init__(self, upcoming: Sequence[Chosen]) -> None:
        self._pool = ProcessPool(
            _libraries(question)
            for question, check in upcoming
            if hasattr(check, "function") and not _missing(question)
        )

    def server(self, question: Question) -> PlainServer:
        """Return what starts the workers of a question.

        Raises:
            BrokenError: a library that they need is not installed.
        """
        if missing := _missing(question):
            remedy = f"python -m pip install {' '.join(missing)}"
            raise BrokenError(f"{', '.join(missing)} is not installed here: {remedy}")
        return PlainServer(self._pool, _libraries(question), question.forbidden)

    def replace(self, question: Question) -> None:
        """Do nothing: every worker is a fresh process."""

    @property
    def isolation(self) -> list[str]:
        """Nothing: it is the student's own code on the student's own machine."""
        return []

    def close(self) -> None:
        """End the process that waits for the next check."""
        self._pool.close()


def _libraries(question: Question) -> tuple[str, ...]:
    return tuple(name for name in question.preload if name != "numpy")


def _missing(question: Question) -> list[str]:
    return [name for name in _libraries(question) if importlib.util.find_spec(name) is None]


def chosen(rubric: Rubric, wanted: Collection[str]) -> list[Chosen]:
    """Return the wanted checks, those first that are quick: functions that need numpy only."""
    # What has no function may need torch to say what is right.
    found = [(q, check) for q in rubric.questions for check in q.checks if check.id in wanted]
    return sorted(
        found, key=lambda one: not hasattr(one[1], "function") or bool(_libraries(one[0]))
    )


class _Here(Submission):
    """A folder that is not staged: a student knows what is in it."""

    def missing(self, module: str) -> str:
        text = f"{module} is not in this folder"
        books = sorted(path.name for path in self.folder.glob("*.ipynb"))
        if books and module.endswith(".py"):
            text += (
                f"; notebooks ({books[0]}) are read when you are graded, not here: to check your "
            )
            text += f"work now, save it as {module}"
        return text


@dataclass(frozen=True)
class Look:
    """What to check: the files in ``folder``, with the checks of an assignment."""

    rubric: Rubric
    assignment: Assignment
    folder: Path
    checks: Sequence[Chosen]
    settings: Settings

    def run(self, checks: Sequence[Chosen]) -> Iterator[CheckResult]:
        """Run some of the checks and yield each result as it comes."""
        folder = self.folder.resolve()
        submission = _Here("submission", folder, (), "")
        with PlainWorkshop(checks) as workshop:
            session = Session(self.rubric, self.assignment, submission, workshop, self.settings)
            for question, check in checks:
                yield session.run(question, check)
