"""Checking on a student's own machine: no isolation, no pytest, each result as soon as it is there.

Files are found and read as when they are graded (``grader/frontends/student/staged.py``). Nothing
here needs anything that only some operating systems have.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from grader.assignment.reference import Assignment
from grader.errors import BrokenError, Closing
from grader.frontends.student.staged import LiveModule, StudentFolder
from grader.intake.places import Wanted
from grader.intake.wanted import asked_by
from grader.isolation.sandbox import Limits
from grader.isolation.sandbox.plain import PlainWorker, ProcessPool
from grader.job import Settings
from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.run.session import Session

Chosen = tuple[Question, CheckSpec]


class PlainProcesses(Closing):
    """Plain workers for a student's folder: every one is a fresh process, and nothing isolates it.

    Args:
        upcoming: the checks that will be run, in order.
        works_in: the folder of the student's that the code was staged from.
    """

    asks_at_once = False

    def __init__(self, upcoming: Sequence[Chosen], works_in: Path) -> None:
        self._works_in = works_in
        self._pool = ProcessPool(
            _libraries(question)
            for question, check in upcoming
            if check.functions and not _missing(question)
        )

    def spawn(
        self,
        question: Question,
        folder: Path,
        limits: Limits,
        seed: int,
        module: str = "",
        expected: int = 1,
        *,
        in_turns: bool = False,
    ) -> PlainWorker:
        """Start a worker that runs the code in ``folder``.

        Raises:
            BrokenError: a library of the question is not installed.
        """
        del module, expected, in_turns  # each is a process of its own
        if missing := _missing(question):
            remedy = f"python -m pip install {' '.join(missing)}"
            raise BrokenError(f"{', '.join(missing)} is not installed here: {remedy}")
        return self._pool.spawn(
            *(_libraries(question), folder, limits, seed),
            hidden=question.forbidden,
            home=self._works_in,
        )

    @property
    def isolation(self) -> list[str]:
        """Nothing: it is the student's own code on the student's own machine."""
        return []

    @property
    def bounded(self) -> None:
        """None: what a student's own code returns is judged in this process."""

    def replace(self, question: Question) -> None:
        """Do nothing: every worker is a fresh process."""

    def reference(self, rubric: Rubric) -> AbstractContextManager[None]:
        """Stage nothing: a student has no reference."""
        del self, rubric
        return nullcontext()

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
    return sorted(found, key=lambda one: not one[1].functions or bool(_libraries(one[0])))


def _unheard(_note: str) -> None:
    pass


@dataclass(frozen=True)
class HomeJob:
    """What to check on a student's machine: the files in ``folder``, as often as they change.

    ``asked`` is what the whole homework asks for (by default, what these checks do): where the work
    is depends on it. ``supplied`` are the files that come with the homework, for work in another
    folder. ``live`` are modules in an open notebook.
    """

    rubric: Rubric
    assignment: Assignment
    folder: Path
    checks: Sequence[Chosen]
    settings: Settings
    asked: tuple[Wanted, Sequence[str]] | None = None
    supplied: Sequence[Path] = ()
    live: Mapping[str, LiveModule] = field(default_factory=dict)

    def staged(self) -> StudentFolder:
        """Return the folder's code, as it is now.

        Raises:
            UsageError: the folder is gone.
            BrokenError: there is no place for temporary files.
        """
        modules, others = self.asked or asked_by(self.rubric)
        return StudentFolder(self.folder.resolve(), modules, others, self.supplied, self.live)

    def run(
        self, checks: Sequence[Chosen], note: Callable[[str], None] = _unheard
    ) -> Iterator[CheckResult]:
        """Run some of the checks and yield each result as it comes.

        Args:
            checks: which, in this order.
            note: takes what is worth telling about the files.

        Raises:
            UsageError: the folder is gone.
            BrokenError: there is no place for temporary files.
        """
        with self.staged() as here, PlainProcesses(checks, here.works_in) as processes:
            for told in here.submission.notes:
                note(told)
            session = Session(
                self.rubric, self.assignment, here.submission, processes, self.settings
            )
            for question, check in checks:
                yield session.run(question, check)
