"""Checks whether the reference does what the rubric and the case file say about it.

This runs the reference, which is trusted code, once when the rubric is read. Otherwise nobody would
notice a gradient under the wrong name, or a mistake described for a missing function. If the
reference itself fails, nothing is reported here: grading reports that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from grader.assignment.reference import Assignment, OtherNumberError, SolvedCase
from grader.errors import RAISED, BrokenError
from grader.model import Array, Question
from grader.readers.texts import did_you_mean

from . import own_derivatives, second_solution
from .mistakes import mistaken

STEP = 1.0e-5  # as in differences.py
CLOSE = 1.0e-4  # relative; what is compared differs in every digit where names are exchanged
SAME = {"rtol": 1.0e-6, "atol": 1.0e-9}  # the same by another order of operations


def forward_problems(spec: Any, module: str, assignment: Assignment) -> Iterator[str]:
    """Yield what the reference's forward function does not do as a check says."""
    try:
        cases = assignment.solved(module, spec.function, spec.returns, spec.opaque, 0, spec.drawn)
    except OtherNumberError as error:
        yield f"returns: {error}"
        return
    except BrokenError:
        return
    names = [*cases[0].expected, *spec.returns]
    yield from _mistake_problems(assignment, module, spec.function, names, cases[0])
    yield from _intermediates_problems(assignment, module, spec.function, cases)
    yield from second_solution.forward_problems(spec, module, assignment, cases)


def gradient_problems(spec: Any, module: str, assignment: Assignment) -> Iterator[str]:
    """Yield what the reference's gradients are not, though a check says so."""
    try:
        cases = assignment.solved_gradients(
            module, spec.forward, spec.returns, spec.opaque,
            spec.function, list(spec.gradients), 0, spec.drawn,
        )  # fmt: skip
    except OtherNumberError as error:
        yield f"{'returns' if error.function == spec.forward else 'gradients'}: {error}"
        return
    except (BrokenError, KeyError):
        return
    if not set(spec.gradients.values()) <= set(cases[0].arguments):
        return
    misplaced = list(_shape_problems(spec, cases)) or list(
        _exchanged(spec, module, assignment, cases)
    )
    yield from misplaced or own_derivatives.gradient_problems(spec, module, assignment)
    if misplaced:
        return
    # Two checks may look at different outputs of one function; its mistakes serve both.
    names = [*cases[0].expected, *(spec.returns if spec.function == spec.forward else ())]
    yield from _mistake_problems(assignment, module, spec.function, names, cases[0])
    yield from _cache_problems(spec, module, assignment, cases)


def values_problems(spec: Any, question: Question, assignment: Assignment) -> Iterator[str]:
    """Yield what the driver does not make of the reference, though a check of ``values`` says so.

    Not for questions with torch, which takes longer to load than all else: grading tells it there.

    Raises:
        BrokenError: the reference cannot be imported.
    """
    module = question.module
    if "torch" in question.preload:
        return
    assignment.solution(module)  # if it cannot be imported, no submission can be graded
    try:
        cases = assignment.driven(module, spec.runs, spec.generator, 0, spec.drawn)
    except BrokenError:
        return
    returned = list(cases[0].expected)
    for name in spec.outputs:
        if name not in returned:
            near = did_you_mean(name, returned)
            known = ", ".join(returned)
            yield f"outputs: {spec.runs.words} returns no {name!r}{near}; it returns {known}"
    yield from _mistake_problems(assignment, module, spec.generator, returned, cases[0])
    yield from _comparison_problems(assignment, module, spec.generator, cases)
    yield from own_derivatives.values_problems(spec, question, assignment)
    yield from second_solution.values_problems(spec, module, assignment, cases)


def _comparison_problems(
    assignment: Assignment, module: str, generator: str, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield how the assignment's own comparison refuses the reference."""
    own = assignment.comparison(module, generator)
    if own is None:
        return
    for case in cases:
        try:
            wrong = own(case.arguments, dict(case.expected), case.expected)
        except RAISED as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong is not None:
            yield f"cases: COMPARISONS of {generator} refuses the reference: {wrong}"
            return


def _shape_problems(spec: Any, cases: Sequence[SolvedCase]) -> Iterator[str]:
    """Yield gradients whose shape is not that of the argument that they are said to belong to."""
    for case in cases:
        shapes = {name: np.shape(case.arguments[a]) for name, a in spec.gradients.items()}
        found = {name: value.shape for name, value in case.expected.items()}
        wrong = [name for name in shapes if found[name] != shapes[name]]
        if not wrong:
            continue
        name = wrong[0]
        fits = [[n for n in shapes if shapes[n] == found[place]] for place in found]
        order = [names[0] for names in fits if len(names) == 1]
        meant = ""
        if len(order) == len(found) == len(set(order)):
            meant = f"; the reference's order seems to be {', '.join(order)}"
        yield (
            f"gradients: {name}: at this position the reference's {spec.function} returns an array "
            f"of shape {found[name]}, but {spec.gradients[name]} has shape {shapes[name]} (case "
            f"{case.name}){meant}"
        )
        return


def _exchanged(
    spec: Any, module: str, assignment: Assignment, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield gradients of one shape that stand in each other's place.

    Central differences of the reference's forward along one random direction tell them apart. What
    is neither its own argument's derivative nor another's is left alone: a forward may have kinks.
    """
    case = next((case for case in cases if _double(case.arguments)), None)
    if case is None:
        return
    shapes = {name: np.shape(case.arguments[a]) for name, a in spec.gradients.items()}
    rng = np.random.default_rng(0)
    for name, argument in spec.gradients.items():
        twins = [other for other in shapes if other != name and shapes[other] == shapes[name]]
        if not twins:
            continue
        direction = rng.standard_normal(shapes[name])
        claimed = float((case.expected[name] * direction).sum())

        def slope(of: str, direction: Array = direction) -> float:
            sides = []
            for step in (STEP, -STEP):
                moved = case.arguments[of] + step * direction
                outputs = assignment.outputs(
                    module, spec.forward, {**case.arguments, of: moved}, spec.returns
                )
                weights = {n: case.cotangents.get(n, np.ones(())) for n in spec.values}
                sides.append(sum(float((outputs[n] * weights[n]).sum()) for n in weights))
            return (sides[0] - sides[1]) / (2 * STEP)

        try:
            if np.isclose(claimed, slope(argument), rtol=CLOSE, atol=CLOSE):
                continue
            for other in twins:
                if np.isclose(claimed, slope(spec.gradients[other]), rtol=CLOSE, atol=CLOSE):
                    yield (
                        f"gradients: {name}: at this position the reference's {spec.function} "
                        f"returns the gradient of {spec.gradients[other]}: swap {name} and {other}"
                    )
                    return
        except (BrokenError, TypeError, ValueError):
            return


def _double(arguments: Mapping[str, Any]) -> bool:
    kinds = [value.dtype for value in arguments.values() if isinstance(value, np.ndarray)]
    return np.dtype(np.float64) in kinds and np.dtype(np.float32) not in kinds


def _mistake_problems(
    assignment: Assignment, module: str, function: str, names: Sequence[str], case: SolvedCase
) -> Iterator[str]:
    """Yield mistakes that fail, or that give values which have none of ``names``."""
    known = list(dict.fromkeys(names))
    for description, wrong in assignment.mistakes(module, function).items():
        what = f"function: MISTAKES of {function}: {description!r}"
        try:
            returned = mistaken(wrong, case, function, every=True)
        except BrokenError as error:
            yield f"{what}: {error}"
            continue
        except ValueError:
            yield f"{what}: must return one value for each of {', '.join(case.expected)}"
            continue
        for name in returned:
            if name not in known:
                near = did_you_mean(name, known)
                yield f"{what} returns {name!r}, which is not one of {', '.join(known)}{near}"


def _intermediates_problems(
    assignment: Assignment, module: str, function: str, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield names of INTERMEDIATES whose values are not what the reference returns by that name."""
    found = assignment.intermediates(module, function)
    if found is None:
        return
    what = f"function: INTERMEDIATES of {function}"
    for case in cases:
        try:
            values = found(*case.arguments.values())
        except RAISED as error:
            yield f"{what} fails (case {case.name}): {type(error).__name__}: {error}"
            return
        if not isinstance(values, Mapping):
            yield f"{what} must return a dictionary of values by name"
            return
        for name, expected in case.expected.items():
            if name in values and not _alike(values[name], expected):
                yield f"{what}: {name} is not what the reference returns (case {case.name})"
                return


def _cache_problems(
    spec: Any, module: str, assignment: Assignment, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield how CACHES fails to make, of the reference's own functions, a cache that serves it."""
    make = assignment.caches(module, spec.function)
    if make is None:
        return

    def call(name: str, arguments: dict[str, Any], returns: list[str], opaque: list[str]) -> Any:
        del opaque
        return assignment.outputs(module, name, arguments, returns)

    what = f"function: CACHES of {spec.function}"
    for case in cases:
        try:
            cache = make(call, dict(case.arguments), dict(case.forward))
            given = {**case.cotangents, **dict.fromkeys(spec.opaque, cache)}
            result = assignment.outputs(module, spec.function, given, list(spec.gradients))
        except RAISED as error:
            words = f"{type(error).__name__}: {error}"
            yield f"{what} fails on the reference (case {case.name}): {words}"
            return
        wrong = [name for name, value in case.expected.items() if not _alike(result[name], value)]
        if wrong:
            yield (
                f"{what} does not give the reference's {', '.join(wrong)} from its own functions "
                f"(case {case.name})"
            )
            return


def _alike(value: Any, expected: Array) -> bool:
    shape = np.shape(value)
    return shape == expected.shape and np.allclose(value, expected, **SAME, equal_nan=True)
