"""Whether the reference's gradients are the derivatives of its own forward functions.

A wrong sign in a reference would cost every right student points. Central differences in float64
along one random direction show it: a sum over all entries is wrong if one of them is. Where they
cannot tell, because of a kink or of values so large that digits are lost, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from grader.assignment.reference import Assignment, SolvedCase
from grader.errors import BrokenError
from grader.model import Array, Question

STEPS = (1.0e-5, 1.0e-6)  # both must give the same slope
CLOSE = 1.0e-4  # relative to the length of the gradient
NOISE = 100 * float(np.finfo(np.float64).eps)
MAX_CASES = 8  # of values, where a case takes longer
Arrays = Mapping[str, Array]
# What does not fit: a call in the reference that fails on moved arguments, or odd shapes.
UNUSABLE = (BrokenError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


class _Slopes(NamedTuple):
    """The slope along a direction that a gradient claims, and what differences give."""

    claimed: float
    found: float


def gradient_problems(spec: Any, module: str, assignment: Assignment) -> Iterator[str]:
    """Yield gradients of a check that are not derivatives of the reference's forward function."""
    cases = assignment.solved_gradients(
        module, spec.forward, spec.returns, spec.opaque,
        spec.function, list(spec.gradients), 0, spec.drawn,
    )  # fmt: skip
    wrong: dict[str, str] = {}
    for case in (one for one in cases if _is_double(one)):
        for name, argument in spec.gradients.items():
            if name in spec.surrogate or name in wrong:
                continue

            def value(at: Arrays, case: SolvedCase = case) -> float:
                given = {**case.arguments, **at}
                outputs = assignment.outputs(module, spec.forward, given, spec.returns)
                return sum(
                    float((np.asarray(outputs[n]) * case.cotangents.get(n, np.ones(()))).sum())
                    for n in spec.values
                )

            at = {argument: case.arguments[argument]}
            found = _disagreement(value, at, {argument: case.expected[name]})
            if found is not None:
                words = _words(found, f"{spec.forward} by {argument}", case.name)
                place = _place(assignment, module, spec.function)
                wrong[name] = f"gradients: {name}: {place} gives {words}"
    yield from wrong.values()


def values_problems(spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
    """Yield outputs ``d<argument>`` of a driver that are not derivatives of its one number.

    An argument is an array of a case, or of a dictionary in it, as parameters are.
    """
    cases = assignment.driven(question.module, spec.runs, spec.generator, 0, spec.drawn)
    solution = assignment.solution(question.module)
    wrong: dict[str, str] = {}
    for case in [one for one in cases if _is_double(one)][:MAX_CASES]:
        numbers = [name for name, value in case.expected.items() if value.shape == ()]
        inside = _arrays_of(case.arguments)
        claimed = {
            name: case.expected[f"d{name}"]
            for name, (_path, array) in inside.items()
            if f"d{name}" in spec.outputs and case.expected[f"d{name}"].shape == array.shape
        }
        if len(numbers) != 1 or not claimed:
            continue

        def value(
            at: Arrays,
            arguments: Mapping[str, Any] = case.arguments,
            number: str = numbers[0],
            paths: Mapping[str, tuple[tuple[str, ...], Array]] = inside,
        ) -> float:
            given = dict(arguments)
            for name, array in at.items():
                given = _with(given, paths[name][0], array)
            return float(spec.runs.here(solution, assignment, given)[number])

        at = {name: inside[name][1] for name in claimed}
        if _disagreement(value, at, claimed) is None:
            continue
        for name in (one for one in claimed if one not in wrong):
            found = _disagreement(value, {name: at[name]}, {name: claimed[name]})
            if found is not None:
                words = _words(found, f"{numbers[0]} by {name}", case.name)
                wrong[name] = f"outputs: {spec.runs.words} on the reference: d{name} is {words}"
    yield from wrong.values()


def _disagreement(value: Callable[[Arrays], float], at: Arrays, claimed: Arrays) -> _Slopes | None:
    """Return the slopes along a random direction if the claimed one is certainly wrong.

    Args:
        value: a number that depends on the arrays ``at``.
        at: where to differentiate, float64.
        claimed: the gradient by each of them.
    """
    rng = np.random.default_rng(0)
    direction = {name: rng.standard_normal(array.shape) for name, array in at.items()}
    wanted = sum(float((claimed[name] * direction[name]).sum()) for name in at)

    def moved(step: float) -> float:
        return value({name: array + step * direction[name] for name, array in at.items()})

    with np.errstate(all="ignore"):
        try:
            middle = value(at)
            sides = [(moved(step), moved(-step)) for step in STEPS]
        except UNUSABLE:
            return None
    coarse, fine = ((a - b) / (2 * step) for (a, b), step in zip(sides, STEPS, strict=True))
    length = np.sqrt(
        sum(float((array.astype(np.float64) ** 2).sum()) for array in claimed.values())
    )
    allowed = CLOSE * max(length, abs(coarse)) + NOISE * abs(middle) / STEPS[-1]
    above, below = sides[-1]
    bend = abs((above - middle) - (middle - below)) / STEPS[-1]
    if not np.isfinite([wanted, coarse, fine, bend]).all():
        return None
    if abs(coarse - fine) > allowed / 2 or bend > allowed or abs(wanted - coarse) <= allowed:
        return None
    return _Slopes(wanted, coarse)


def _words(found: _Slopes, of: str, case: str) -> str:
    exact = np.isclose(found.claimed, -found.found, rtol=CLOSE)
    hint = "; is a sign wrong?" if exact else ""
    return (
        f"something else than the derivative of {of}: {found.claimed:.6g} along a random "
        f"direction, {found.found:.6g} by central differences (case {case}){hint}"
    )


def _place(assignment: Assignment, module: str, function: str) -> str:
    """Return where a function of the reference is defined."""
    code = getattr(getattr(assignment.solution(module), function), "__code__", None)
    line = f":{code.co_firstlineno}" if code is not None else ""
    return f"{assignment.folder.name}/{module}{line}, {function},"


def _is_double(case: SolvedCase) -> bool:
    return not case.is_single


def _arrays_of(
    arguments: Mapping[str, Any], above: tuple[str, ...] = ()
) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Return the arrays of float64 in a case, and in dictionaries in it, with their places."""
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            found |= _arrays_of(value, (*above, name))
        elif isinstance(value, np.ndarray) and value.dtype == np.float64:
            found[name] = (*above, name), value
    return found


def _with(arguments: Mapping[str, Any], path: Sequence[str], array: Array) -> dict[str, Any]:
    first, *rest = path
    inner = _with(arguments[first], rest, array) if rest else array
    return {**arguments, first: inner}
