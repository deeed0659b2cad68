"""Decides whose fault it is when the assignment's code fails next to the student's.

A driver, a composition and a judge are the assignment's own code and work on what student code
gives them. If one of them fails, the exception that a worker reports decides nothing, since student
code can forge it. Instead the reference takes the student's place, in a worker of its own under the
same limits. If that fails too, the assignment is at fault, otherwise the student. So a forged
exception cannot break a check, and a fault in the assignment costs nobody points.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from grader.errors import RAISED, BrokenError, Failure, GraderError, Pending, WorkerLost

from .base import Context, Unloadable
from .student_code import StudentModule


@dataclass(frozen=True)
class Trial:
    """What became of the reference: how it failed, or its result, if it could be tried."""

    known: bool = False
    problem: str | None = None
    result: Any = None


UNKNOWN = Trial()
Run = Callable[[StudentModule], Any]


def tried(
    context: Context,
    key: Hashable,
    what: str,
    run: Run,
    seed: int,
    instead: Callable[[], Trial] | None = None,
) -> Trial:
    """Return what becomes of the reference; tried once per process for all submissions.

    Args:
        context: that of the check. No worker of the student's may be open.
        key: tells this trial from others of the same module.
        what: names our code in a message.
        run: what failed with the student's module, to be done with the reference's.
        seed: that of the worker's random generators.
        instead: what to do where the reference cannot be loaded in a worker.
    """
    known = context.assignment.tried
    key = (context.question.module, key, seed, context.tier, context.device)
    if key not in known:
        try:
            known[key] = _try(context, what, run, seed)
        except Unloadable:
            known[key] = UNKNOWN if instead is None else instead()
    trial: Trial = known[key]
    return trial


class Doubts:
    """What failed in the assignment's code while a student's worker was open; settled later."""

    def __init__(self) -> None:
        self._first: tuple[Hashable, str, Run] | None = None

    def add(self, key: Hashable, what: str, run: Run) -> None:
        """Note a failure; the first is as good as any, since each costs a worker.

        Args:
            key: tells this failure from others of the same module.
            what: names our code in a message.
            run: what failed, to be done with the reference's module.
        """
        self._first = self._first or (key, what, run)

    def settle(self, context: Context) -> None:
        """Make sure that with the reference our code can do what failed with the student's.

        Raises:
            BrokenError: it cannot.
        """
        if self._first is None:
            return
        problem = tried(context, *self._first, context.worker_seed).problem
        if problem is not None:
            raise BrokenError(problem)


def _try(context: Context, what: str, run: Run, seed: int) -> Trial:
    if context.open_reference is None:
        raise Unloadable
    try:
        with context.open_reference(seed) as module:
            return Trial(known=True, result=run(module))
    except Pending:
        return UNKNOWN
    except Failure as failed:
        # If the reference lacks the function or the time is too short, the fault stays unknown.
        if failed.reason == "missing" or (
            isinstance(failed, WorkerLost) and failed.reason == "timeout"
        ):
            return UNKNOWN
        _function, _raised, words = failed.message.partition(" raised ")
        return failing(what, words or failed.message)
    except (GraderError, Unloadable):
        raise
    except RAISED as error:
        return failing(what, described(error))


def failing(what: str, words: str) -> Trial:
    """Return the trial of assignment code that fails on the reference."""
    return Trial(known=True, problem=f"{what} fails on the reference: {words}")


def described(error: BaseException) -> str:
    """Return the type and the text of an exception on our side."""
    return f"{type(error).__name__}: {error}"
