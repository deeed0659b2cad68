"""Follow-through: is a wrong result right for what it was computed from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks.numerics import as_array
from grader.errors import BrokenError, Failure, WorkerLost
from grader.model import Array

from .base import Context
from .mistakes import by_name
from .student_code import StudentModule

INTERACTION = 1.0e-9  # relative to the outputs; rounding leaves 1e-15
MAX_SEPARATE_INPUTS = 1  # a bias is only added, and may be forgotten
MIN_RELATIVE_SIZE = 1.0e-3  # of a gradient, relative to the reference's, for it to prove anything


def composed(
    context: Context, function: str, module: StudentModule, case: SolvedCase
) -> dict[str, Array] | None:
    """Return a case's result put together from the student's own smaller functions.

    None if there is no composition, or if one of the smaller functions fails.
    """
    compose = context.assignment.composition(context.question.module, function)
    if compose is None:
        return None

    def call(name: str, arguments: dict[str, Any], returns: list[str], opaque: list[str]) -> Any:
        return module.call(name, arguments, returns, opaque)

    try:
        result = compose(call, dict(case.arguments), dict(case.cotangents))
        values = by_name(result, case.expected)
        finite = all(np.isfinite(value).all() for value in values.values())
    except WorkerLost:
        raise
    except Exception:  # noqa: BLE001 - the smaller functions may return anything at all
        return None
    return values if finite else None


def forgiven(what: str, source: str) -> str:
    """Return the note for a result that differs only because of another function's mistake."""
    return f"{what}: right, given your own {source}; no points lost here"


def right_at_outputs(
    context: Context, function: str, case: SolvedCase, outputs: Mapping[str, Any]
) -> dict[str, Array] | None:
    """Return the right gradients at a student's own, wrong forward outputs, where known."""
    at = context.assignment.given_outputs(context.question.module, function)
    arrays = {name: as_array(outputs[name]) for name in case.forward}
    if at is None or any(
        array is None
        or array.dtype.kind != "f"
        or array.shape != case.forward[name].shape
        or not np.isfinite(array).all()
        for name, array in arrays.items()
    ):
        return None
    with np.errstate(all="ignore"):
        try:
            result = at(case.arguments, arrays, case.cotangents)
        except Exception as error:
            message = f"GIVEN_OUTPUTS of {function} raised {type(error).__name__}: {error}"
            raise BrokenError(message) from error
    gradients = None if result is None else by_name(result, case.expected)
    # Outputs can be chosen so that the derivative vanishes; zeros would then be right.
    if gradients is None or any(vanishes(g, case.expected[n]) for n, g in gradients.items()):
        return None
    return gradients


def vanishes(gradient: Array, expected: Array) -> bool:
    """Say whether a gradient is too small, beside the expected one, to prove anything."""
    size, usual = np.abs(gradient).max(initial=0.0), np.abs(expected).max(initial=0.0)
    return not (np.isfinite(gradient).all() and size >= MIN_RELATIVE_SIZE * usual)


def is_an_attempt(
    module: StudentModule,
    function: str,
    case: SolvedCase,
    returns: Sequence[str],
    opaque: Sequence[str],
) -> bool:
    """Say whether a forward function computes something from how its inputs act *together*.

    Follow-through is for a mistake in a solution. A function that returns zeros, one of its inputs
    or a sum of all of them has derivatives that are right all too easily. So all but one of the
    inputs (a bias is only added) must interact with the others (b):
    f(a', b') - f(a', b) - f(a, b') + f(a, b) is not zero.
    """
    rng = np.random.default_rng(0)
    moved = {name: _moved(value, rng) for name, value in case.arguments.items()}

    def outputs(arguments: dict[str, Any]) -> Array:
        found = module.call(function, arguments, returns, opaque)
        arrays = [as_array(value) for name, value in found.items() if name not in opaque]
        flat = [np.ravel(array) for array in arrays if array is not None]
        return np.concatenate(flat).astype(np.float64)

    alone = 0
    try:
        base, everything = outputs(dict(case.arguments)), outputs(moved)
        for name, value in moved.items():
            if not isinstance(value, np.ndarray):
                continue  # a setting, such as a stride: it is what it is
            one = outputs({**case.arguments, name: value})
            others = outputs({**moved, name: case.arguments[name]})
            together = np.abs(everything - others - one + base).max(initial=0.0)
            # NaN is not an interaction either.
            alone += not together > INTERACTION * np.abs(base).max(initial=0.0)
    except WorkerLost:
        raise
    except (Failure, ValueError, TypeError):
        # It fails for these inputs or returns something different each time: no follow-through.
        return False
    return alone <= MAX_SEPARATE_INPUTS


def _moved(value: Any, rng: np.random.Generator) -> Any:
    """Return other values of the same kind and range: smaller numbers, other labels and masks."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "f":
        return (value * rng.uniform(0.6, 0.9, value.shape)).astype(value.dtype)
    return ~value if value.dtype.kind == "b" else value.max(initial=0) - value
