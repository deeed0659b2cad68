"""Known mistakes: does a wrong result match what an assignment says a mistake gives?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks import causes
from grader.checks.expectations import Tolerance
from grader.checks.numerics import Comparison, as_array, same_values
from grader.errors import BrokenError
from grader.model import Array

from .base import Context, Tally

# What a known mistake can explain; one that gives a wrong shape has the values in it, too.
NAMED: frozenset[str] = frozenset(["mismatch", "not_finite", "wrong_shape"])


@dataclass(frozen=True)
class GivenValues:
    """What a student's function gave for a case.

    Attributes:
        case: with the right values.
        values: by name, those that a mistake must explain.
        limit: how far they may be from what they are compared with.
        counts: whether the case is one of those that are to be explained. In others, a mistake must
            not show where the values are right.
    """

    case: SolvedCase
    values: Mapping[str, Any]
    limit: Tolerance
    counts: bool = True


def known_mistake(
    context: Context, function: str, given: Sequence[GivenValues], *, all_outputs: bool = False
) -> str | None:
    """Return the description of the known mistake that gives a student's values in every case.

    With ``all_outputs`` it must give all values that it speaks of; else those that are given.
    """
    known = context.assignment.mistakes(context.question.module, function)
    for description, wrong in known.items():
        if _explains(wrong, function, given, all_outputs=all_outputs):
            return description
    return None


def explain(
    tally: Tally, context: Context, function: str, first: tuple[SolvedCase, Comparison],
    given: Sequence[GivenValues], *, all_outputs: bool = False,
) -> None:  # fmt: skip
    """Name the known mistake, if there is one, in place of what the first wrong case shows."""
    case, found = first
    if found.reason not in NAMED or tally.reason != found.reason:
        return
    text = known_mistake(context, function, given, all_outputs=all_outputs)
    if text is not None:
        better = named(found, function, text)
        tally.explain(f"case {case.name}: {better.text}", causes.of_mistake(function, text))


def _explains(
    wrong: Callable[..., Any], function: str, given: Sequence[GivenValues], *, all_outputs: bool
) -> bool:
    shows = False
    for one in sorted(given, key=lambda one: not one.counts):
        try:
            theirs = mistaken(wrong, one.case, function, every=not all_outputs)
        except BrokenError:
            if one.counts:
                raise
            continue
        names = [n for n in theirs if all_outputs or n in one.values]
        right = partial(_are_right, one, {name: theirs[name] for name in names})
        if one.counts:
            if not names or not all(n in one.values and _agree(one, n, theirs[n]) for n in names):
                return False
            shows |= not right()
        elif not right() and _are_right(one, one.values):
            return False
    return shows


def _agree(one: GivenValues, name: str, theirs: Any) -> bool:
    given, array = as_array(one.values[name]), as_array(theirs)
    return given is not None and array is not None and same_values(given, array, one.limit)


def _are_right(one: GivenValues, values: Mapping[str, Any]) -> bool:
    return all(_is_right(one, name, value) for name, value in values.items())


def _is_right(one: GivenValues, name: str, value: Any) -> bool:
    """Say whether a value is right, or is not one that the case is about."""
    array = as_array(value)
    if name not in one.case.expected:
        return True
    return array is not None and same_values(array, one.case.expected[name], one.limit)


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


def of_another_output(case: SolvedCase, name: str, value: Any, limit: Tolerance) -> str | None:
    """Say so if a wrong output is exactly what one other output should be."""
    given = as_array(value)
    if given is None or given.dtype.kind not in "fiu" or not given.any():
        return None
    others = [
        other
        for other, expected in case.expected.items()
        if other != name and expected.shape == given.shape and limit.allows(given, expected).all()
    ]
    if len(others) != 1:
        return None
    return f"the outputs are returned in another order: {name} has the values of {others[0]}"
