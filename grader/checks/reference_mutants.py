"""Mistakes that nobody wrote down: what the reference gives with one change in it.

Where a value is wrong and neither a relation to the right one nor an entry of ``MISTAKES`` explains
it, it may be that of the reference with one operator, variable, axis, index or term changed. The
cause is named only if the student's numbers are those of the changed reference in every ordinary
case. Nothing here decides points.

The changed functions run in the child with limits (``grader.isolation.bounded``), once for each
check and seed: what they give is kept (``kept_changes.py``).
"""

from __future__ import annotations

import ast
import itertools
import json
import math
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np

from grader.assignment.mutant_words import description
from grader.assignment.reference import Assignment, SolvedCase
from grader.assignment.used_files import files_of
from grader.author.cases import BASE_GROUP
from grader.checks.expectations import Tolerance
from grader.checks.numerics import as_array, same_values, tolerance
from grader.errors import BrokenError
from grader.isolation.bounded import BoundExceededError, Bounds
from grader.isolation.worker import mutants
from grader.isolation.worker.mutants import Mutant, functions_in, mutants_of
from grader.model import Array

from . import kept_changes
from .base import Context

MOST_MUTANTS = 3000  # of one function
CALL_S = 0.5  # processor time of one call; a changed loop may never end
MOST_CASE_BYTES = 1024 * 1024
BOUNDS = Bounds(time_s=10.0, memory_mb=512, output_bytes=32 * 1024 * 1024, waits=5.0)
KEPT = 64  # checks whose values are remembered
CLEAR = 100.0  # tolerances by which a change must differ from the right values, to be told apart
FUTURE = 0x1000000  # of a compiler: annotations are not evaluated (``from __future__``)
Outputs = Mapping[str, Any]


@dataclass(frozen=True)
class ChangedReference:
    """What a change of the reference gives: its arrays by name, for each ordinary case.

    ``number`` is that of the change, by which it is found again.
    """

    number: int
    outputs: tuple[Mapping[str, Array], ...]


class KnownChanges:
    """What all changes of the reference give, those that give the same at first sight found soon.

    Args:
        changes: each with its arrays.
    """

    def __init__(self, changes: Sequence[ChangedReference]) -> None:
        self.changes = changes
        # The arrays of the first case by name and shape, one above the other.
        numbers: dict[tuple[str, tuple[int, ...]], list[int]] = {}
        for number, changed in enumerate(changes):
            for name, array in changed.outputs[0].items():
                numbers.setdefault((name, array.shape), []).append(number)
        self._numbers = {key: np.array(those) for key, those in numbers.items()}
        self._stacked = {
            key: np.stack([changes[number].outputs[0][key[0]] for number in those])
            for key, those in numbers.items()
        }

    def near(self, given: Outputs, limit: Tolerance) -> list[int]:
        """Return the numbers of those that may give these values in the first case, in order."""
        left = set(range(len(self.changes)))
        for name, value in given.items():
            array = as_array(value)
            if array is None or (name, array.shape) not in self._stacked or not left:
                return []
            stacked = self._stacked[name, array.shape]
            inner = tuple(range(1, stacked.ndim))
            with np.errstate(all="ignore"):
                finite = np.isfinite(stacked)
                size = np.where(finite, np.abs(stacked), 0.0)
                good = np.abs(stacked - array) <= limit.of_sizes(size, inner)
                near = (good | ~finite).all(axis=inner)
            left &= set(self._numbers[name, array.shape][near].tolist())
        return sorted(left)


def explanation(
    spec: Any, context: Context, cases: Sequence[SolvedCase], given: Sequence[Outputs | None]
) -> str | None:
    """Return the description of the change of the reference that gives a student's values.

    Args:
        spec: a check of kind ``forward`` or ``gradient``.
        context: the check's.
        cases: all of them; the ordinary ones count.
        given: for each case the values by name that must be explained; None if there are none.
    """
    ordinary = [
        (case, values)
        for case, values in zip(cases, given, strict=True)
        if case.group == BASE_GROUP
    ]
    if not ordinary or any(values is None for _case, values in ordinary):
        return None
    known = _changed(spec, context, tuple(case for case, _values in ordinary))
    if not known.changes:
        return None
    limits = [tolerance(spec, case) for case, _values in ordinary]
    every = [
        (case, values or {}, limit) for (case, values), limit in zip(ordinary, limits, strict=True)
    ]
    if not any(_differ(case.expected, values, limit) for case, values, limit in every):
        return None
    _case, values, limit = every[0]
    for number in known.near(values, limit):
        changed = known.changes[number]
        both = zip(every, changed.outputs, strict=True)
        if all(_agree(values, theirs, limit) for (_case, values, limit), theirs in both):
            return _described(spec, context, changed.number)
    return None


def prepare(spec: Any, context: Context, cases: Sequence[SolvedCase]) -> None:
    """Find out what changes of the reference give for a check, so that it is kept."""
    _changed(spec, context, tuple(case for case in cases if case.group == BASE_GROUP))


def _agree(given: Outputs, theirs: Mapping[str, Array], limit: Tolerance) -> bool:
    arrays = {name: as_array(value) for name, value in given.items()}
    return all(
        name in theirs and array is not None and same_values(array, theirs[name], limit)
        for name, array in arrays.items()
    )


def _differ(expected: Mapping[str, Array], given: Outputs, limit: Tolerance) -> bool:
    """Say whether a value is so far from the right one that no rounding makes it."""
    wide = Tolerance(CLEAR * limit.rtol, CLEAR * limit.atol, CLEAR * limit.rtol_of_largest)
    arrays = {name: as_array(value) for name, value in given.items()}
    return any(
        array is not None and not same_values(array, expected[name], wide)
        for name, array in arrays.items()
    )


def _changed(spec: Any, context: Context, cases: tuple[SolvedCase, ...]) -> KnownChanges:
    """Return what each change of the reference gives; nothing if that cannot be found out."""
    assignment, module = context.assignment, context.question.module
    if not assignment.can_answer or context.bounded is None:
        return KnownChanges(())
    if any(case.nbytes > MOST_CASE_BYTES for case in cases):
        return KnownChanges(())
    key = (module, spec.model_dump_json(), context.seed)
    if key not in assignment.changed:
        while len(assignment.changed) >= KEPT:
            assignment.changed.pop(next(iter(assignment.changed)))

        def work(_value: Any) -> list[Any]:
            return _packed(changed_references(spec, assignment, module, cases))

        name = kept_changes.digest(_sources(assignment), module, spec.model_dump_json(), cases)
        try:
            packed = kept_changes.kept(name)
            if packed is None:
                layout, numbers = context.bounded.do(
                    ("mutants", id(assignment), key), work, None, BOUNDS
                )
                packed = layout, numbers
                kept_changes.keep(name, packed)
            assignment.changed[key] = KnownChanges(_unpacked(*packed))
        except (BoundExceededError, BrokenError):
            assignment.changed[key] = KnownChanges(())  # without a cause the points are the same
    kept: KnownChanges = assignment.changed[key]
    return kept


def _packed(found: Sequence[ChangedReference]) -> list[Any]:
    """Return one text and one array for all: the wire carries few arrays."""
    layout = [
        [one.number, [[[n, a.shape] for n, a in case.items()] for case in one.outputs]]
        for one in found
    ]
    arrays = [array for one in found for case in one.outputs for array in case.values()]
    numbers = [array.astype(np.float64, copy=False).reshape(-1) for array in arrays]
    return [json.dumps(layout), np.concatenate([*numbers, np.zeros(0)])]


def _unpacked(layout: str, numbers: Array) -> tuple[ChangedReference, ...]:
    start, found = 0, []
    for number, cases in json.loads(layout):
        outputs = []
        for names in cases:
            arrays = {}
            for name, shape in names:
                end = start + math.prod(shape)
                arrays[name] = numbers[start:end].reshape(shape)
                start = end
            outputs.append(arrays)
        found.append(ChangedReference(number, tuple(outputs)))
    return tuple(found)


def changed_references(
    spec: Any, assignment: Assignment, module: str, cases: Sequence[SolvedCase]
) -> list[ChangedReference]:
    """Return what each change of the reference gives for cases, without those that are right."""
    solution = vars(assignment.solution(module))
    found = []
    for number, mutant in _changes(spec, assignment, module):
        outputs = _values(spec, _with_change(mutant, solution), mutant.function, cases)
        if outputs is not None:
            found.append(ChangedReference(number, tuple(outputs)))
    return found


def _described(spec: Any, context: Context, number: int) -> str | None:
    """Return what one change of the reference does."""
    assignment, module = context.assignment, context.question.module
    key = (module, spec.model_dump_json(), number)
    if key not in assignment.changed:
        assignment.changed[key] = description(_change(spec, assignment, module, number))
    words: str = assignment.changed[key]
    return words


def _changes(spec: Any, assignment: Assignment, module: str) -> Iterator[tuple[int, Mutant]]:
    """Yield all changes of a check's function, and of its forward, each with its number."""
    text = (assignment.folder / module).read_text(encoding="utf-8")
    names = _names(spec)
    for place, name in enumerate(names):
        for function, alone in _alone(text, name):
            every = mutants_of(alone, {function.name})
            for mutant in itertools.islice(every, MOST_MUTANTS):
                yield mutant.number * len(names) + place, mutant


def _change(spec: Any, assignment: Assignment, module: str, number: int) -> Mutant:
    """Return the change with a number, without a look at all that come before it."""
    names = _names(spec)
    text = (assignment.folder / module).read_text(encoding="utf-8")
    number, place = divmod(number, len(names))
    ((function, alone),) = _alone(text, names[place])
    every = mutants.changed(alone, function.name, function)
    return next(itertools.islice(every, number, None))


def _names(spec: Any) -> list[str]:
    """Return the functions that are changed."""
    return list(dict.fromkeys((spec.function, getattr(spec, "forward", spec.function))))


def _sources(assignment: Assignment) -> list[str]:
    """Return the texts of all code of the reference, whatever of it a changed function calls."""
    files = [path for path in files_of(assignment.folder) if path.suffix == ".py"]
    return [path.read_text(encoding="utf-8", errors="replace") for path in files]


def _alone(text: str, name: str) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield a function of a module and its own lines, if it is there and not decorated."""
    function = functions_in(ast.parse(text)).get(name)
    if function is not None and not function.decorator_list:
        lines = text.splitlines(keepends=True)
        alone = "".join(lines[function.lineno - 1 : function.end_lineno])
        yield functions_in(ast.parse(alone))[name], alone


def _with_change(mutant: Mutant, solution: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of the reference, the changed function among them."""
    code: CodeType = compile(mutant.source, "reference", "exec", FUTURE)
    names = dict(solution)
    exec(code, names)  # noqa: S102 - the assignment's own code, in a process with limits
    return names


def _values(
    spec: Any, functions: Mapping[str, Any], changed: str, cases: Sequence[SolvedCase]
) -> list[dict[str, Array]] | None:
    """Return what a changed reference gives for each case; None if it fails or is right."""
    every, wrong = [], False
    for case in cases:
        try:
            with np.errstate(all="ignore"), _limited():
                outputs = _outputs(spec, functions, changed, case)
        except (Exception, _TooLongError):  # noqa: BLE001 - a change may do anything
            return None
        if outputs is None:
            return None
        limit = tolerance(spec, case)
        wrong |= any(
            name in outputs and not same_values(outputs[name], value, limit)
            for name, value in case.expected.items()
        )
        every.append(outputs)
    return every if wrong else None


def _outputs(
    spec: Any, functions: Mapping[str, Any], changed: str, case: SolvedCase
) -> dict[str, Array] | None:
    """Return the compared values of one case by name; None if they are not as many as they must be.

    A changed forward function explains a gradient only by what it keeps: its values must be right.
    """
    forward = getattr(spec, "forward", spec.function)
    made = _by_name(functions[forward], case.arguments.values(), spec.returns)
    if made is None or forward == spec.function:
        return None if made is None else _arrays(made, case)
    if changed == forward and not all(
        _is(made[name], right, tolerance(spec, case)) for name, right in case.forward.items()
    ):
        return None
    given = [*case.cotangents.values(), *(made[name] for name in spec.opaque)]
    gradients = _by_name(functions[spec.function], given, list(spec.gradients))
    return None if gradients is None else _arrays(gradients, case)


def _by_name(
    function: Callable[..., Any], arguments: Any, names: Sequence[str]
) -> dict[str, Any] | None:
    result = function(*arguments)
    items = result if isinstance(result, tuple) else (result,)
    return dict(zip(names, items, strict=True)) if len(items) == len(names) else None


def _arrays(outputs: Outputs, case: SolvedCase) -> dict[str, Array]:
    """Return the compared outputs that are arrays of numbers."""
    arrays = {name: as_array(outputs[name]) for name in case.expected}
    return {n: a for n, a in arrays.items() if a is not None and a.dtype.kind in "fiu"}


def _is(value: Any, right: Array, limit: Tolerance) -> bool:
    array = as_array(value)
    return array is not None and same_values(array, right, limit)


class _TooLongError(BaseException):
    """A changed function takes too long; nothing in it may catch this."""


@contextmanager
def _limited() -> Iterator[None]:
    """Bound the processor time of what is done within."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, CALL_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError
