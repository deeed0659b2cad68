"""Known mistakes: does a wrong result match what an assignment says a mistake gives?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks import causes
from grader.checks.numerics import Comparison, Tolerance, as_array
from grader.errors import BrokenError
from grader.model import Array

from .base import Context

# What a known mistake can explain; one that gives a wrong shape has the values in it, too.
NAMED: frozenset[str] = frozenset(["mismatch", "not_finite", "wrong_shape"])


def with_mistake(
    context: Context,
    function: str,
    case: SolvedCase,
    found: Comparison,
    outputs: Mapping[str, Any],
    limit: Tolerance,
) -> Comparison:
    """Name the known mistake whose outputs these are, if there is one."""
    if found.reason not in NAMED:
        return found
    for description, wrong in context.assignment.mistakes(
        context.question.module, function
    ).items():
        theirs = mistaken(wrong, case, function)
        both = [(as_array(outputs[name]), theirs[name]) for name in theirs]
        if both and all(a is not None and same_values(a, b, limit) for a, b in both):
            return named(found, function, description)
    return found


def named(found: Comparison, function: str, description: str) -> Comparison:
    """Return a comparison that names a known mistake in place of a guessed cause."""
    return replace(
        found,
        known=causes.of_mistake(function, description),
        remark=f"these are exactly the values you get when {description}",
    )


def mistaken(
    wrong: Callable[..., Any], case: SolvedCase, function: str, *, every: bool = False
) -> dict[str, Array]:
    """Return by name what a function of ``MISTAKES`` gives for a case.

    With ``every``, values under names that the case does not expect are returned, too.

    Raises:
        BrokenError: it raises.
        ValueError: it returns another number of values.
    """
    if wrong not in case.mistaken:
        case.mistaken[wrong] = _trusted(wrong, case, function)
    result = case.mistaken[wrong]
    return dict(result) if every and isinstance(result, dict) else by_name(result, case.expected)


def _trusted(wrong: Callable[..., Any], case: SolvedCase, function: str) -> Any:
    with np.errstate(all="ignore"):
        try:
            if case.cotangents:
                return wrong(case.arguments, case.cotangents)
            return wrong(**case.arguments)
        except Exception as error:
            message = f"a MISTAKES function of {function} raised {type(error).__name__}: {error}"
            raise BrokenError(message) from error


def by_name(result: Any, expected: Mapping[str, Array]) -> dict[str, Array]:
    """Return the values of a dictionary, a tuple or a single value by name."""
    if isinstance(result, dict):
        return {name: np.asarray(result[name]) for name in expected if name in result}
    items = result if isinstance(result, tuple) else (result,)
    return {name: np.asarray(item) for name, item in zip(expected, items, strict=True)}


def same_values(actual: Array, wrong: Array, limit: Tolerance) -> bool:
    """Say whether two arrays of numbers are the same within a tolerance."""
    if actual.shape != wrong.shape or actual.dtype.kind not in "fiu":
        return False
    both = (array.astype(np.float64, copy=False) for array in (actual, wrong))
    return bool(limit.allows(*both).all())


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
        theirs = mistaken(wrong, case, function)
        if name in theirs and same_values(array, theirs[name], limit):
            right = case.expected[name]
            # A mistake that leaves this gradient right explains nothing.
            if theirs[name].shape != right.shape or not same_values(theirs[name], right, limit):
                return description
    return None
