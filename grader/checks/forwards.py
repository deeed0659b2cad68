"""A gradient function beside forward functions that are right, where the student's own is not.

Whatever the student's forward function does, raises or returns, is paid for in a check of its own.
Its gradient function is tried without it, and beside it with one change that puts it right. Where
nothing of this is possible and there is no proof of a mistake, a person decides.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import Any

from grader.assignment.reference import SolvedCase
from grader.author.cases import BASE_GROUP
from grader.author.evidence import Text
from grader.errors import Blocked, Failure, Pending, WorkerLost

from .base import NOT_WRITTEN, Context, Judgement, in_lines
from .gradient_run import GradientRun, GradientSpec
from .student_code import StudentModule

MAX_REPAIRS = 3  # changes that put a forward right and are tried
MAX_SHOWN = 6000  # characters of a function that a person must look at
Cases = tuple[SolvedCase, ...]
Judge = Callable[[GradientRun, Cases], Judgement]


def cases_of(spec: GradientSpec, context: Context) -> tuple[SolvedCase, ...]:
    """Return the cases of a check, with the reference's gradients."""
    cases = context.assignment.solved_gradients(
        context.question.module, spec.forward, spec.returns, spec.opaque,
        spec.function, list(spec.gradients), context.seed, spec.drawn,
    )  # fmt: skip
    return tuple(case for case in cases if not spec.groups or case.group in spec.groups)


def beside_right_forwards(
    spec: GradientSpec, context: Context, cases: Cases, judge: Judge
) -> Judgement:
    """Judge a gradient function beside the student's own forward, and beside right ones.

    Raises:
        Pending: it cannot be tried, for a reason that does not lie in it.
        Blocked, Failure: as ``judge`` does.
    """
    run = GradientRun(spec, context)
    found: Judgement | Blocked
    try:
        found = judge(run, cases)
    except WorkerLost as lost:
        if run.lost is None or (lost.retry and not context.last_try):
            raise
        if lost.reason == "timeout":
            context.hurry()
        run = GradientRun(spec, context, run.lost)
        try:  # with what a right forward keeps for it
            found = judge(run, cases)
        except Blocked as blocked:
            found = blocked
    except Blocked as blocked:
        found = blocked
    if not run.tries_right_caches or _is_settled(run, found):
        return _settled(found)
    better = _beside_repaired(run, cases, judge, found)
    if isinstance(better, Blocked):
        ask_a_person(spec, context, cases, f"{spec.forward} fails", better.message)
    elif better is found and run.untried:
        if not any(part.earned for part in better.parts):
            problem = f"{spec.forward} is wrong"
            ask_a_person(spec, context, cases, problem, better.parts[0].message)
        return _waiting(better, spec, context)
    return _settled(better)


def _waiting(found: Judgement, spec: GradientSpec, context: Context) -> Judgement:
    """Let parts that earn nothing wait: a cache that was not tried may put them right.

    It cannot if the function changes its arguments, and the rubric says that this is wrong.
    """
    lost = [part for part in found.parts if part.earned == 0]
    names = tuple(part.name for part in lost if part.reason != "mutated_input")
    if not names:
        return found
    why = _untried(spec, f"{spec.forward} is wrong")
    parts = tuple(
        replace(part, message=f"{why} ({part.message})") if part.name in names else part
        for part in found.parts
    )
    alike: dict[str, Hashable] = {part.name: part.earned for part in parts}
    file = context.question.module
    shown = Text(file, _text_of(spec.function, context.read_file(file)))
    figures = (*found.figures, shown)
    message = in_lines(parts, alike)
    return replace(found, parts=parts, message=message, figures=figures, undecided=names)


def _is_settled(run: GradientRun, found: Judgement | Blocked) -> bool:
    """Say whether a right forward function could change nothing."""
    if isinstance(found, Blocked):
        return found.reason in NOT_WRITTEN or found.reason == "forbidden"
    return not run.forward_wrong or all(part.earned == 1 for part in found.parts)


def _settled(found: Judgement | Blocked) -> Judgement:
    if isinstance(found, Blocked):
        raise found
    return found


def _beside_repaired(
    run: GradientRun, cases: Cases, judge: Judge, found: Judgement | Blocked
) -> Judgement | Blocked:
    """Return the best of what is found beside the student's forward with one change.

    Where no cache was certainly right, what is as bad beside a right forward is a proof.
    """
    spec, context = run.spec, run.context
    open_fresh = context.open_fresh or context.open_module
    wanted = [
        (list(case.arguments.values()), [case.forward.get(name) for name in spec.returns])
        for case in cases
        if case.group == BASE_GROUP
    ]
    passed_over: list[int] = []
    made: list[int] = []  # the number of the change that is tried, by each worker for it
    lines: list[int | None] = []

    @contextlib.contextmanager
    def repaired(seed: int) -> Iterator[StudentModule]:
        """Open the student's module with the first change that is not passed over."""
        with open_fresh(seed) as module:
            number = module.repair(spec.forward, wanted, passed_over)
            if number is None:
                raise _NoRepair
            made.append(number)
            lines.append(module.repaired)
            yield module

    beside = replace(context, open_module=repaired, at_once=False)
    for _ in range(MAX_REPAIRS):
        passed_over += made[:1]
        made.clear()
        try:
            tried = judge(GradientRun(spec, beside), cases)
        except _NoRepair:
            break
        except (Blocked, Failure):
            continue
        if isinstance(found, Blocked) or _is_better(tried, found, proof=run.untried):
            note = (
                f"your {spec.forward} is wrong, so {spec.function} was tested beside it with one "
                f"change in line {lines[-1]} that makes it right; {spec.forward} costs no points "
                "here"
            )
            found = replace(tried, notes=(*tried.notes, note))
        if _earned(found) == len(found.parts):
            break
    return found


class _NoRepair(Exception):  # noqa: N818 - not an error: many functions have more than one mistake
    """No change of one place puts the forward function right."""


def _is_better(tried: Judgement, found: Judgement, *, proof: bool) -> bool:
    if _earned(tried) == _earned(found) == 0:
        return proof
    return _earned(tried) > _earned(found)


def _earned(judgement: Judgement) -> float:
    return sum(part.earned for part in judgement.parts)


def ask_about(spec: Any, context: Context, blocked: Blocked) -> None:
    """Raise ``Pending`` about a check of gradients that was blocked, if its forward is written."""
    if blocked.reason not in NOT_WRITTEN and blocked.reason != "forbidden":
        problem = f"{spec.forward} fails"
        ask_a_person(spec, context, cases_of(spec, context), problem, blocked.message)


def ask_a_person(
    spec: GradientSpec, context: Context, cases: Cases, problem: str, details: str
) -> None:
    """Raise ``Pending``, unless the gradient function has not been written either."""
    with context.open_module(context.worker_seed) as module:
        arguments = {f"d{name}": value for name, value in cases[0].cotangents.items()}
        try:
            module.call(spec.function, arguments | dict.fromkeys(spec.opaque), list(spec.gradients))
        except Failure as failed:
            if failed.reason in NOT_WRITTEN or failed.reason == "forbidden":
                raise
        where, name = module.file, context.question.module
    shown = _text_of(spec.function, context.read_file(name))
    raise Pending(f"{_untried(spec, problem)} ({details})", where, shown)


def _untried(spec: GradientSpec, problem: str) -> str:
    why = f"{spec.function} could not be tried: {problem}, and how it keeps values is not known"
    return f"{why}. A person must read it."


def _text_of(function: str, file: bytes) -> str:
    """Return the text of a function; of the whole file where it is not found."""
    text = file.decode("utf-8", "replace")
    found = re.search(rf"^def {function}\b.*?(?=^\S(?!\))|\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group()[:MAX_SHOWN] if found is not None else text[:MAX_SHOWN]
