"""Is a wrong forward function near the right one?

A gradient that is right for a student's own wrong forward is paid only if that forward is a mistake
in a solution: it gives the values of a known mistake, or it goes along with the right one. Both its
values and its slopes must show that, in the same calls that earn the points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks.differences import TOLERANCE, Differences, slopes_of
from grader.checks.mistakes import mistaken
from grader.checks.numerics import as_array
from grader.model import Array

CORRELATION = 0.8  # of values with the right ones; a forgotten term leaves 0.8, chance 0.3
SIMILARITY = 0.9  # cosine of all slopes and the right ones; slopes of 1 leave 0.8, chance 0.2
OF_A_NUMBER = 0.95  # the same for one number; a loss without softmax leaves 0.85
MIN_RELATIVE_SIZE = 1.0e-3  # of slopes, relative to the right ones, for them to prove anything
RTOL, ATOL = 1.0e-6, 1.0e-9  # of values that are those of a known mistake
Outputs = Mapping[str, Any]
Mistake = Callable[..., Any]


@dataclass(frozen=True)
class Slopes:
    """Derivatives by entries of an argument: those of the student's forward and the right ones."""

    entries: Sequence[int]
    own: Array
    right: Array


@dataclass(frozen=True)
class Nearness:
    """Says what a forward function is near to, from its outputs and its slopes.

    Attributes:
        mistakes: what known mistakes in the forward function give.
        forward: the forward function.
        values: the names of its outputs.
    """

    mistakes: Mapping[str, Mistake]
    forward: str
    values: Sequence[str]

    def like(self, seen: Sequence[tuple[SolvedCase, Outputs]]) -> list[Mistake] | None:
        """Return the known mistakes that give these outputs; none if they go along with the right.

        None in place of a list: the function is not near.
        """
        found = [
            wrong
            for wrong in self.mistakes.values()
            if all(self._same(outputs, self._theirs(wrong, case)) for case, outputs in seen)
        ]
        if found:
            return found
        return [] if all(self._goes_along(case, outputs) for case, outputs in seen) else None

    def confirmed(
        self, like: Sequence[Mistake], differences: Differences, slopes: Mapping[str, Slopes]
    ) -> set[str]:
        """Return the arguments whose slopes show what the outputs do.

        They are those of one of the mistakes or, all together, go along with the right ones.

        Args:
            like: what ``like`` returned.
            differences: how the slopes were measured.
            slopes: by argument.
        """
        telling = {name for name, one in slopes.items() if not vanishes(one.own, one.right)}
        case = differences.case
        if like:
            return {
                name
                for name in telling
                if any(self._same_slopes(wrong, case, name, slopes[name]) for wrong in like)
            }
        one_number = all(case.forward[name].size == 1 for name in self.values)
        own = np.concatenate([one.own / _size(one.right) for one in slopes.values()])
        right = np.concatenate([one.right / _size(one.right) for one in slopes.values()])
        near = similarity(own, right) >= (OF_A_NUMBER if one_number else SIMILARITY)
        return telling if near else set()

    def _same_slopes(self, wrong: Mistake, case: SolvedCase, argument: str, slopes: Slopes) -> bool:
        def outputs(arguments: Sequence[dict[str, Any]]) -> list[Outputs]:
            return [self._theirs(wrong, replace(case, arguments=one)) for one in arguments]

        key = (wrong, argument, tuple(slopes.entries), tuple(self.values))
        if key not in case.mistaken:  # the same for every submission
            case.mistaken[key] = slopes_of(outputs, case, argument, slopes.entries, self.values)
        return bool(TOLERANCE.allows(slopes.own, case.mistaken[key]).all())

    def _theirs(self, wrong: Mistake, case: SolvedCase) -> Outputs:
        key = (wrong, self.forward)
        if key not in case.mistaken:
            plain = replace(case, expected=case.forward, cotangents={})
            case.mistaken[key] = mistaken(wrong, plain, self.forward)
        theirs: Outputs = case.mistaken[key]
        return theirs

    def _same(self, outputs: Outputs, theirs: Outputs) -> bool:
        pairs = [(as_array(outputs[name]), theirs.get(name)) for name in self.values]
        return all(
            own is not None
            and other is not None
            and own.shape == other.shape
            and own.dtype.kind in "fiu"
            and np.allclose(own, other, RTOL, ATOL)
            for own, other in pairs
        )

    def _goes_along(self, case: SolvedCase, outputs: Outputs) -> bool:
        for name in self.values:
            own, right = as_array(outputs[name]), case.forward[name]
            if own is None or own.shape != right.shape or own.dtype.kind != "f":
                return False
            if not np.isfinite(own).all():
                return False
            if right.size > 1 and not correlation(own, right) >= CORRELATION:
                return False
        return True


def correlation(one: Array, other: Array) -> float:
    """Return Pearson's correlation coefficient of all entries; NaN for a constant."""
    a, b = (np.ravel(array).astype(np.float64) for array in (one, other))
    with np.errstate(all="ignore"):
        return similarity(a - a.mean(), b - b.mean())


def similarity(a: Array, b: Array) -> float:
    """Return the cosine of the angle between two vectors; NaN for zeros."""
    with np.errstate(all="ignore"):
        return float((a @ b) / np.sqrt((a @ a) * (b @ b)))


def _size(values: Array) -> float:
    return float(np.sqrt((values**2).sum())) or 1.0


def vanishes(gradient: Array, expected: Array) -> bool:
    """Say whether a gradient is too small, beside the expected one, to prove anything."""
    size, usual = np.abs(gradient).max(initial=0.0), np.abs(expected).max(initial=0.0)
    return not (np.isfinite(gradient).all() and size >= MIN_RELATIVE_SIZE * usual)
