"""What the numeric check kinds share: tolerances, named mistakes, follow-through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.assignment import SolvedCase
from grader.errors import BrokenError, WorkerLost
from grader.model import Tolerances
from grader.numerics import Array, Comparison, Tolerance, as_array, compare

from .base import Context, StudentModule

PROBE_SCALE = 0.1  # size of the random change by which an input's influence is tested
MAX_IGNORED_INPUTS = 1  # a forgotten bias is a mistake; ignoring more is not an attempt


def tolerance(spec: Tolerances, case: SolvedCase) -> Tolerance:
    """Return the tolerance for the lowest precision among a case's inputs."""
    dtypes = {value.dtype for value in case.arguments.values() if isinstance(value, np.ndarray)}
    if np.dtype(np.float32) in dtypes:
        return Tolerance(spec.rtol_float32, spec.atol_float32)
    return Tolerance(spec.rtol, spec.atol)


def with_mistake(
    context: Context,
    function: str,
    case: SolvedCase,
    found: Comparison,
    outputs: Mapping[str, Any],
    limit: Tolerance,
) -> Comparison:
    """Name the known mistake whose outputs these are, if there is one."""
    if found.reason not in ("mismatch", "not_finite"):
        return found
    for description, wrong in context.assignment.mistakes(
        context.question.module, function
    ).items():
        theirs = _by_name(_trusted(wrong, case, function), case.expected)
        both = [(as_array(outputs[name]), theirs[name]) for name in theirs]
        if both and all(a is not None and _equal(a, b, limit) for a, b in both):
            return named(found, description)
    return found


def named(found: Comparison, description: str) -> Comparison:
    """Return a comparison that names a known mistake in place of a guessed cause."""
    return replace(found, cause=f"exactly this comes out when {description}")


def _trusted(wrong: Callable[..., Any], case: SolvedCase, function: str) -> Any:
    with np.errstate(all="ignore"):
        try:
            if case.cotangents:
                return wrong(case.arguments, case.cotangents)
            return wrong(**case.arguments)
        except Exception as error:
            message = f"a MISTAKES function of {function} raised {type(error).__name__}: {error}"
            raise BrokenError(message) from error


def _by_name(result: Any, expected: Mapping[str, Array]) -> dict[str, Array]:
    if isinstance(result, dict):
        return {name: np.asarray(result[name]) for name in expected if name in result}
    items = result if isinstance(result, tuple) else (result,)
    return {name: np.asarray(item) for name, item in zip(expected, items, strict=True)}


def _equal(actual: Array, wrong: Array, limit: Tolerance) -> bool:
    if actual.shape != wrong.shape or actual.dtype.kind not in "fiu":
        return False
    return bool(limit.allows(actual.astype(np.float64), wrong.astype(np.float64)).all())


def matching_mistake(
    context: Context, function: str, case: SolvedCase, name: str, value: Any, limit: Tolerance
) -> str | None:
    """Return the description of the mistake that gives this one wrong gradient, if known."""
    array = as_array(value)
    if array is None:
        return None
    for description, wrong in context.assignment.mistakes(
        context.question.module, function
    ).items():
        theirs = _by_name(_trusted(wrong, case, function), case.expected)
        if name in theirs and _equal(array, theirs[name], limit):
            right = case.expected[name]
            # A mistake that leaves this gradient right explains nothing.
            if theirs[name].shape != right.shape or not _equal(theirs[name], right, limit):
                return description
    return None


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
        values = _by_name(result, case.expected)
        finite = all(np.isfinite(value).all() for value in values.values())
    except WorkerLost:
        raise
    except Exception:  # noqa: BLE001 - the smaller functions may return anything at all
        return None
    return values if finite else None


def forgiven(what: str, source: str) -> str:
    """Return the note for a result that differs only because of another function's mistake."""
    return f"{what}: right for what your own {source} gives, which is wrong; no points lost here"


def right_at_outputs(
    context: Context, function: str, case: SolvedCase, outputs: Mapping[str, Any]
) -> dict[str, Array] | None:
    """Return the right gradients at a student's own, wrong forward outputs, where known."""
    at = context.assignment.given_outputs(context.question.module, function)
    arrays = {name: as_array(outputs[name]) for name in case.forward}
    if at is None or any(
        array is None or array.dtype.kind != "f" or array.shape != case.forward[name].shape
        for name, array in arrays.items()
    ):
        return None
    with np.errstate(all="ignore"):
        try:
            return _by_name(at(case.arguments, arrays, case.cotangents), case.expected)
        except Exception as error:
            message = f"GIVEN_OUTPUTS of {function} raised {type(error).__name__}: {error}"
            raise BrokenError(message) from error


def depends_on_inputs(
    module: StudentModule,
    function: str,
    case: SolvedCase,
    returns: Sequence[str],
    opaque: Sequence[str],
) -> bool:
    """Say whether a forward function computes something from (nearly) all of its inputs.

    Follow-through is for a mistake in a solution; a function that returns its input or zeros has
    derivatives that are right all too easily.
    """
    rng = np.random.default_rng(0)
    before = module.call(function, case.arguments, returns, opaque)
    ignored = 0
    for name, value in case.arguments.items():
        if not isinstance(value, np.ndarray):
            continue
        if value.dtype.kind == "f":
            moved = (value + PROBE_SCALE * rng.standard_normal(value.shape)).astype(value.dtype)
        else:
            # Labels and masks: others of the same range.
            moved = ~value if value.dtype.kind == "b" else (value.max() - value)
        after = module.call(function, {**case.arguments, name: moved}, returns, opaque)
        same = all(
            compare(out, after[out], array, Tolerance(1.0e-9, 1.0e-12)).ok
            for out, old in before.items()
            if out not in opaque and (array := as_array(old)) is not None
        )
        ignored += same
    return ignored <= MAX_IGNORED_INPUTS
