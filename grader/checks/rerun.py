"""A check that rests on other functions of the student's, run again with those answered.

Where a check fails, the mistake may be in a function that another check is about. It is run again
in a fresh worker in which the reference answers calls of that function: what is right then is
right, whatever the student's own function does, raises or returns.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from grader.errors import Blocked, Cause, Failure, WorkerLost
from grader.model import CheckSpec, Part, Signature

from . import causes
from .base import CheckKind, Context, Judgement, in_lines
from .student_code import StudentModule

if TYPE_CHECKING:
    from .answers import Answers

Stopped = Failure | Blocked
Opened = Callable[[int], contextlib.AbstractContextManager[StudentModule]]
# Judges in the worker that has done other checks; None if there is more to judge than values.
InTurn = Callable[[Callable[[Context], Judgement | None]], Judgement | None]


def run(
    kind: CheckKind,
    spec: CheckSpec,
    context: Context,
    found: Judgement | None = None,
    in_turn: InTurn | None = None,
) -> Judgement:
    """Run a check; once more, if it is not all right, with the functions it builds on answered.

    Args:
        kind: the check's.
        spec: the check.
        context: the check's.
        found: how it was judged with the student's own functions, if it was.
        in_turn: judges in the worker in which that was found, if it can.

    Raises:
        Failure, Blocked, Pending: as the kind does.
        WorkerLost: for the first time without clear guilt, or as the kind does.
    """
    names = spec.rests_on(context.question.module) if context.assignment.can_answer else []
    functions = [context.signatures[name] for name in names if name in context.signatures]
    if not functions or not spec.forgives:
        return found or kind.run(spec, context)
    first: Judgement | Stopped
    try:
        first = found or kind.run(spec, context)
        if all(part.earned == 1 for part in first.parts):
            return first
    except WorkerLost as lost:
        if lost.retry and not context.last_try:
            raise
        if lost.reason == "timeout":
            context.hurry()
        first = lost
    except (Failure, Blocked) as stopped:
        first = stopped
    second, asked = _again(kind, spec, context, functions, in_turn)
    if isinstance(first, Blocked) and _shows_nothing(second) and spec.kind == "gradient":
        from .forwards import ask_about

        ask_about(spec, context, first)
    if second is None or not asked:
        return _unchanged(first)
    return merged(first, second, getattr(spec, "follow_through", 1.0), asked)


def _again(
    kind: CheckKind,
    spec: CheckSpec,
    context: Context,
    functions: list[Signature],
    in_turn: InTurn | None,
) -> tuple[Judgement | None, list[str]]:
    """Judge with functions answered; return what is found, and which of them were asked for."""
    from .answers import Answers  # not on a student's machine

    with Answers(context.assignment, context.question.module, functions) as answers:

        def answered(one: Context) -> Judgement:
            return kind.run(spec, _answering(one, answers))

        found = in_turn(answered) if in_turn is not None else None
        if found is None:
            with contextlib.suppress(Failure, Blocked):
                found = answered(context)
        return found, [one.function for one in functions if one.function in answers.asked]


def _shows_nothing(second: Judgement | None) -> bool:
    return second is None or not any(part.earned > 0 for part in second.parts)


def _answering(context: Context, answers: Answers) -> Context:
    """Return a context whose workers have functions answered."""
    opened, fresh = context.open_module, context.open_fresh
    return replace(
        context,
        open_module=_with_answers(opened, answers),
        open_fresh=None if fresh is None else _with_answers(fresh, answers),
        answered=True,
        last_try=True,
    )


def _with_answers(opened: Opened, answers: Answers) -> Opened:
    @contextlib.contextmanager
    def open_module(seed: int) -> Iterator[StudentModule]:
        with opened(seed) as module:
            module.have_answered(answers)
            yield module

    return open_module


def _unchanged(first: Judgement | Stopped) -> Judgement:
    if isinstance(first, Judgement):
        return first
    raise first


def merged(
    first: Judgement | Stopped, second: Judgement, fraction: float, asked: list[str]
) -> Judgement:
    """Return what is best in two judgements of a check.

    Args:
        first: with the student's own functions; what stopped it if it was not judged.
        second: with right functions in their place.
        fraction: of what is right in the second only.
        asked: the functions that were answered.

    Raises:
        Failure, Blocked: nothing is right in the second either, and it names no other cause.
    """
    earns = any(part.earned > 0 for part in second.parts)
    if not earns and (isinstance(first, Blocked) or second.undecided):
        return _unchanged(first)
    source = ", ".join(asked[:-1]) + (" and " if asked[1:] else "") + asked[-1]
    before = {part.name: part for part in first.parts} if isinstance(first, Judgement) else {}
    parts, better, waiting, tells = [], [], [], False
    for part in second.parts:
        own = before.get(part.name) or _stopped(part, first)
        waits = part.name in second.undecided and own.earned <= part.earned
        parts.append(part if waits else _better(own, part, fraction, source))
        waiting += [part.name] if waits else []
        better += [part.name] if parts[-1].earned == 1 and own.earned < 1 else []
        tells |= parts[-1] is not own
    if not earns and not tells:
        return _unchanged(first)
    notes = first.notes if isinstance(first, Judgement) else ()
    if better:
        what = "" if len(better) == len(parts) else f"{', '.join(better)}: "
        notes = (*notes, f"{what}right when tested with a right {source}; no points lost here")
    alike: dict[str, Hashable] = {part.name: (part.reason, part.cause) for part in parts}
    message = in_lines(tuple(parts), alike)
    return Judgement(
        *(tuple(parts), notes, second.measurements, message, second.figures), tuple(waiting)
    )


def _stopped(part: Part, first: Judgement | Stopped) -> Part:
    """Return a part as it was when the check could not be judged."""
    if isinstance(first, Judgement):
        return replace(part, earned=0.0)
    cause: Cause | None = causes.of_failure(first)
    return Part(part.name, part.share, 0.0, first.reason, first.message, cause)


def _better(own: Part, answered: Part, fraction: float, source: str) -> Part:
    """Return a part with what it earns in the better one of two judgements.

    Where both earn the same, the cause counts that is still there with right functions: it is the
    check's own.
    """
    if answered.earned < own.earned:
        return own
    if answered.earned == own.earned:
        if answered.earned == 1 or answered.cause in (None, own.cause):
            return own
        return replace(answered, message=f"with a right {source}: {answered.message}")
    earned = own.earned + fraction * (answered.earned - own.earned)
    if earned == 1:
        return Part(own.name, own.share, 1.0)
    if fraction == 1:
        return replace(answered, message=f"with a right {source}: {answered.message}")
    words = f"It is right when tested with a right {source}: fix your own first"
    message = f"{own.message}. {words}" if own.message else words
    return replace(own, earned=earned, message=message, cause=causes.follow_through(words))
