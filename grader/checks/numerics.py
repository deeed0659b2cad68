"""Comparing a student's values with expected ones.

The rule is that of ``torch.testing.assert_close``, ``|actual - expected| <= atol + rtol *
|expected|``, with tolerances by precision; small entries beside large ones may also be off by a
part of the largest (``Tolerance``). The comparison happens in float64 on plain arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks import causes, expectations
from grader.checks.expectations import Expectation, Tolerance
from grader.errors import Cause, Reason
from grader.isolation.wire import Opaque, TensorData
from grader.model import Array, Tolerances
from grader.readers.texts import quoted

# Types whose values are computed only when somebody asks for them, and their usual names.
LAZY = {
    "generator": "a generator (does it use yield, or a comprehension in parentheses?)",
    "map": "a map object (use list(...))",
    "filter": "a filter object (use list(...))",
    "zip": "a zip object (use list(...))",
    "range": "a range (use np.arange)",
    "coroutine": "a coroutine (is it an async function?)",
}
TIE = 1.0e-9  # relative
SURELY = 1.0 - 1.0e-9  # a smaller share of what is allowed is right whatever rounding does
ROUNDING = 1.0e-2  # relative; a smaller difference of a narrower type is that type's rounding


def tolerance(spec: Tolerances, case: SolvedCase) -> Tolerance:
    """Return the tolerance for the lowest precision among a case's inputs."""
    if case.is_single:
        return _tolerance(spec.rtol_float32, spec.atol_float32, spec.rtol_of_largest)
    return _tolerance(spec.rtol, spec.atol, spec.rtol_of_largest)


@lru_cache(maxsize=256)
def _tolerance(rtol: float, atol: float, rtol_of_largest: float) -> Tolerance:
    return Tolerance(rtol, atol, min(rtol, rtol_of_largest))


class NumericMismatch(Protocol):
    """What is said of wrong values; most are never asked, and finding a cause takes long."""

    @property
    def message(self) -> str:
        """Where they are wrong and how much."""

    @property
    def cause(self) -> Cause | None:
        """What could explain them."""

    @property
    def worst(self) -> tuple[int, ...]:
        """The index of the worst one."""


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing one value.

    ``message`` says where and how much, ``cause`` what probably led to it (``words`` and ``known``,
    or what ``mismatch`` says), and ``remark`` how that is worded after the message (None: as in the
    cause). ``ratio`` is that of a single number to the expected one. ``max_abs`` and ``max_rel``
    are the largest differences, ``share`` the largest one as a share of what is allowed; None if
    shapes or types forbid any. ``given`` is the value, where it may be needed again.
    """

    name: str
    reason: Reason | None = None
    words: str = ""
    known: Cause | None = None
    max_abs: float | None = None
    max_rel: float | None = None
    share: float | None = None
    remark: str | None = None
    ratio: float | None = None
    mismatch: NumericMismatch | None = None
    given: Any = field(default=None, repr=False, compare=False)

    @property
    def message(self) -> str:
        """Where the values are wrong and how much."""
        return self.mismatch.message if self.mismatch is not None else self.words

    @property
    def cause(self) -> Cause | None:
        """What could explain wrong values."""
        if self.known is None and self.mismatch is not None:
            return self.mismatch.cause
        return self.known

    @property
    def ok(self) -> bool:
        """Whether the values agree."""
        return self.reason is None

    @property
    def text(self) -> str:
        """The message with its cause."""
        why = self.remark
        if why is None:
            why = self.cause.text if self.cause is not None else ""
        return f"{self.message}; {why}" if why else self.message


def as_array(value: Any) -> Array | None:
    """Return a returned number, array or tensor as an array; None for everything else."""
    if type(value) is np.ndarray:
        return value
    if type(value) is TensorData:
        return value.array
    if type(value) in (int, float) or isinstance(value, np.generic):
        return np.asarray(value)
    return None


def compare(
    name: str, actual: Any, expected: Array, tolerance: Tolerance, *, exact_dtype: bool = False
) -> Comparison:
    """Compare a returned value with the expected array and say what is wrong with it.

    Args:
        name: what the value is called in messages.
        actual: whatever came over the wire.
        expected: the reference's array, of any real dtype.
        tolerance: the allowed difference.
        exact_dtype: whether the dtype must be the expected one; otherwise values alone count.
    """
    array = as_array(actual)
    if array is None:
        reason, words, known = _not_an_array(name, actual, expected)
        return Comparison(name, reason, words, known, remark="")  # the words say it
    if array.shape != expected.shape:
        message = f"{name}: shape {array.shape}, expected {expected.shape}"
        return Comparison(name, "wrong_shape", message, causes.shape(array, expected))
    if array.dtype.kind not in "fiu" or (exact_dtype and array.dtype != expected.dtype):
        message = f"{name}: dtype {array.dtype}, expected {expected.dtype}"
        return Comparison(name, "wrong_dtype", message)
    if expected.size == 0:
        return Comparison(name, max_abs=0.0, max_rel=0.0, share=0.0)
    with np.errstate(all="ignore"):  # a student's numbers may overflow whatever is done with them
        wanted = expectations.of(expected, tolerance)
        found = _compare_numbers(name, array.astype(np.float64, copy=False), wanted)
    narrower = array.dtype.kind == "f" and array.dtype.itemsize < expected.dtype.itemsize
    if found.reason == "mismatch" and narrower and (found.max_rel or 0) < ROUNDING:
        text = f"it is {array.dtype} instead of {expected.dtype}, so it loses digits"
        return replace(found, known=Cause("lower_precision", text))
    return found


def _compare_numbers(name: str, actual: Array, wanted: Expectation) -> Comparison:
    expected, tolerance = wanted.values, wanted.tolerance
    difference = np.abs(actual - expected)
    largest = np.maximum.reduce(difference, axis=None)
    if math.isfinite(largest) and wanted.is_finite:
        max_abs, finite = float(largest), None
        max_rel = float(np.maximum.reduce(difference / wanted.sizes, axis=None))
        share = _largest_share(difference, wanted.least)
        if share is not None and share < SURELY and wanted.is_bound:
            return Comparison(name, max_abs=max_abs, max_rel=max_rel, share=share)
        good = np.asarray(difference <= wanted.bound)
    else:
        good = tolerance.allows(actual, expected)
        # What is not finite has no difference; it is named in the message instead.
        finite = np.isfinite(actual) & np.isfinite(expected)
        difference = np.abs(np.where(finite, actual - expected, 0.0))
        size = np.abs(np.where(finite, expected, 1.0))
        relative = difference / np.where(expected == 0, 1.0, size)
        max_abs = float(np.maximum.reduce(difference, axis=None))
        max_rel = float(np.maximum.reduce(relative, axis=None))
        share = _largest_share(difference, wanted.least)
    if np.logical_and.reduce(good, axis=None):
        return Comparison(name, max_abs=max_abs, max_rel=max_rel, share=share)
    if finite is None:
        finite = np.ones(difference.shape, dtype=bool)
    not_finite = ~np.isfinite(actual) & np.isfinite(expected)
    if not_finite.any():
        where = _index(np.argmax(not_finite), actual.shape)
        count = f"{int(not_finite.sum())} of {actual.size} entries are NaN or infinite"
        message = f"{name}: {count}; first at {where}" if actual.shape else f"{name} is {actual}"
        return Comparison(name, "not_finite", message, None, max_abs, max_rel)
    one = actual.size == 1 and finite.all() and expected.all()
    ratio = float(actual.item() / expected.item()) if one else None
    mismatch = _Mismatch(name, actual, expected, tolerance, difference, good, finite)
    return Comparison(
        *(name, "mismatch"),
        max_abs=max_abs, max_rel=max_rel, share=share, ratio=ratio, mismatch=mismatch,
    )  # fmt: skip


def _largest_share(difference: Array, least: Array) -> float | None:
    """Return the largest difference as a share of what is allowed; None if it is not finite."""
    share = float(np.maximum.reduce(difference / least, axis=None))
    return share if math.isfinite(share) else None


@dataclass(frozen=True, eq=False)
class _Mismatch:
    """Finite values that are wrong; float64 arrays of one shape."""

    name: str
    actual: Array
    expected: Array
    tolerance: Tolerance
    difference: Array
    good: Array
    finite: Array

    @cached_property
    def worst(self) -> tuple[int, ...]:
        """The index of the entry that is off the most."""
        with np.errstate(all="ignore"):
            excess = np.where(self.finite, self.difference - self._bound, np.inf)
            excess = np.where(self.good, -1.0, excess)
            # Of entries that are off by the same amount it is the first, whatever rounding says.
            first = int(np.argmax(excess >= excess.max() * (1 - TIE)))
        return tuple(map(int, np.unravel_index(first, self.actual.shape)))

    @cached_property
    def _bound(self) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(self.tolerance.bound(self.expected), self.expected.shape)

    @cached_property
    def message(self) -> str:
        """Which entry is the worst, and by how much it is off."""
        actual, expected, difference = self.actual, self.expected, self.difference
        worst, bound = self.worst, self._bound
        got, wanted = _number(actual[worst], expected[worst])
        if actual.shape:
            bad = int((~self.good).sum())
            message = (
                f"{self.name}: {bad} of {actual.size} entries differ; worst at "
                f"{list(worst)}: got {got}, expected {wanted}"
            )
        else:
            message = f"{self.name}: got {got}, expected {wanted}"
        message += f" (off by {difference[worst]:.2g}"
        return message + (f", allowed {bound[worst]:.2g})" if np.isfinite(bound[worst]) else ")")

    @cached_property
    def cause(self) -> Cause | None:
        """The relation between the values and the right ones, if one is known."""
        if not self.finite.all():
            return None
        with np.errstate(all="ignore"):
            return causes.values(self.actual, self.expected, self.tolerance.allows, self.good)


def _not_an_array(name: str, actual: Any, expected: Array) -> tuple[Reason, str, Cause | None]:
    wanted = f"an array of shape {expected.shape}" if expected.shape else "a number"
    if actual is None:
        return "not_implemented", f"{name} is None, expected {wanted}", None
    if type(actual) in (list, tuple):
        kind = f"a {type(actual).__name__} of {len(actual)}"
        remedy = f" (use np.stack({name}) to join arrays)" if expected.ndim > 1 else ""
        return "wrong_shape", f"{name} is {kind}, expected {wanted}{remedy}", causes.NOT_AN_ARRAY
    words = f"{name} is {described_type(actual)}, expected {wanted}"
    return "wrong_dtype", words, causes.NOT_AN_ARRAY


def described_type(value: Any) -> str:
    """Return what a value is that came over the wire, in the words of a message."""
    if type(value) is str:
        return f"a text ({quoted(value)})"
    kind = value.type_name if type(value) is Opaque else type(value).__name__
    if kind in LAZY:
        return f"{LAZY[kind]}, which has no values yet"
    return f"a value of type {kind}"


def _index(flat: Any, shape: tuple[int, ...]) -> list[int]:
    return [int(index) for index in np.unravel_index(int(flat), shape)]


def _number(actual: float, expected: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ."""
    for digits in (4, 6, 9, 12, 17):
        got, wanted = f"{actual:.{digits}g}", f"{expected:.{digits}g}"
        if got != wanted:
            return got, wanted
    return repr(float(actual)), repr(float(expected))


def same_values(actual: Array, wrong: Array, limit: Tolerance) -> bool:
    """Say whether two arrays of numbers are the same within a tolerance."""
    if actual.shape != wrong.shape or actual.dtype.kind not in "fiu":
        return False
    both = (array.astype(np.float64, copy=False) for array in (actual, wrong))
    return bool(limit.allows(*both).all())
