"""What values are expected, and how far others may be off.

The rule is that of ``torch.testing.assert_close``; small entries beside large ones may also be off
by a part of the largest. What follows from the expected values alone is computed once for all
submissions.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.model import Array

TINY = 1.0e-300  # in place of a tolerance of zero
MOST_ENTRIES = 1024  # of an array whose expectation is kept: of a larger one it takes no longer
MOST_KEPT = 2048  # arrays whose expectations are kept; each holds up to five such arrays
MOST_OF_ONE = 4  # expectations of one array


@dataclass(frozen=True)
class Tolerance:
    """How far values may be off.

    ``|actual - expected| <= atol + max(rtol * |expected|, rtol_of_largest * max |expected|)``.
    """

    rtol: float
    atol: float
    rtol_of_largest: float = 0.0

    def bound(self, expected: Array) -> Array:
        """Return the allowed difference of each element."""
        with np.errstate(invalid="ignore", over="ignore"):
            return self.of_sizes(np.abs(np.where(np.isfinite(expected), expected, 0.0)))

    def of_sizes(self, size: Array, axis: tuple[int, ...] | None = None) -> Array:
        """Return the allowed difference of each element, given what size the expected ones have.

        ``axis`` are the axes of one array where several are stacked; by default there is one.
        """
        keepdims: Any = axis is not None
        largest = np.maximum.reduce(size, axis=axis, initial=0.0, keepdims=keepdims)
        relative = np.maximum(self.rtol * size, self.rtol_of_largest * largest)
        bound: Array = self.atol + relative
        return bound

    def allows(self, actual: Array, expected: Array) -> Array:
        """Return which elements agree (bool, same shape); NaN and infinity agree with equals."""
        with np.errstate(invalid="ignore", over="ignore"):
            difference = np.abs(actual - expected)
            if difference.size and _all_finite(difference, expected):
                return np.asarray(difference <= self.of_sizes(np.abs(expected)))
            near = difference <= self.bound(expected)
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        agreed: Array = np.where(np.isfinite(expected), near, same)
        return agreed


def _all_finite(difference: Array, expected: Array) -> bool:
    """Say whether all numbers are finite of which these are the differences, in float64.

    False may also mean that a difference was too large.
    """
    doubles = difference.dtype == expected.dtype == np.float64
    return doubles and math.isfinite(np.maximum.reduce(difference, axis=None))


class Expectation:
    """Expected values in float64, with what comparisons need that follows from them.

    Attributes:
        given: the array itself.
        values: in float64.
        tolerance: how far values may be off.
        is_finite: whether all are finite.
        bound: the allowed difference of each element.
        least: the same; something tiny in place of zero.
        is_bound: whether ``least`` is nowhere more than ``bound``.
        sizes: what differences are divided by for a relative one.
    """

    __slots__ = ("bound", "given", "is_bound", "is_finite", "least", "sizes", "tolerance", "values")

    def __init__(self, given: Array, tolerance: Tolerance) -> None:
        self.given, self.tolerance = given, tolerance
        self.values: Array = given.astype(np.float64, copy=False)
        self.bound = tolerance.bound(self.values)
        self.least = np.maximum(self.bound, TINY)
        self.is_bound = bool((self.bound >= TINY).all())
        self.is_finite = bool(np.isfinite(self.values).all())
        self.sizes = np.where(self.values == 0, 1.0, np.abs(self.values))


_kept: OrderedDict[int, list[Expectation]] = OrderedDict()


def of(expected: Array, tolerance: Tolerance) -> Expectation:
    """Return what is expected; that of an array which cannot be written to is kept."""
    if expected.flags.writeable or expected.size > MOST_ENTRIES:
        return Expectation(expected, tolerance)
    of_array = _kept.get(id(expected))
    if of_array is None or of_array[0].given is not expected:
        of_array = []
    for known in of_array:
        if known.tolerance is tolerance or known.tolerance == tolerance:
            return known
    made = Expectation(expected, tolerance)
    _kept[id(expected)] = [made, *of_array[: MOST_OF_ONE - 1]]
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return made
