"""What every submission needs and takes long to compute, computed beforehand and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

from grader.assignment.reference import Assignment
from grader.checks import KINDS, Context, StudentModule
from grader.errors import BrokenError, GraderError
from grader.isolation import bounded
from grader.isolation.bounded import BoundedChild
from grader.job import Settings
from grader.model import Rubric
from grader.run.session import seeds_of


def prepare(rubric: Rubric, settings: Settings) -> None:
    """Prepare all checks: later processes of this user find what has been made.

    Raises:
        BrokenError: some could not be prepared; the others are. Its text names the checks.
    """
    assignment = Assignment(rubric.reference)
    failed: dict[str, list[str]] = {}
    with _child() as child:
        for question in rubric.questions:
            for check in question.checks:
                seed, public = seeds_of(rubric, settings, check)
                context = Context(
                    *(assignment, question.of(check), seed, settings.tier, settings.data),
                    open_module=_nobody,
                    read_file=_nothing,
                    bounded=child,
                    public_seed=public,
                )
                try:
                    KINDS[check.kind].prepare(check, context)
                except GraderError as error:
                    failed.setdefault(str(error), []).append(check.id)
    if failed:
        raise BrokenError("; ".join(f"{', '.join(ids)}: {why}" for why, ids in failed.items()))


@contextmanager
def _child() -> Iterator[BoundedChild | None]:
    if not bounded.is_possible():
        yield None
        return
    with BoundedChild() as child:
        yield child


def _nobody(_seed: int) -> AbstractContextManager[StudentModule]:
    raise BrokenError("there is no submission yet")


def _nothing(_name: str) -> NoReturn:
    raise BrokenError("there is no submission yet")
