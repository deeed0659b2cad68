"""Comparing a student's values with expected ones.

The rule is that of ``torch.testing.assert_close``, ``|actual - expected| <= atol + rtol *
|expected|``, with tolerances by precision; small entries beside large ones may also be off by a
part of the largest (``Tolerance``). The comparison happens in float64 on plain arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks import causes
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
ROUNDING = 1.0e-2  # relative; a smaller difference of a narrower type is that type's rounding


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
            size = np.abs(np.where(np.isfinite(expected), expected, 0.0))
            largest = size.max(initial=0.0)
            relative = np.maximum(self.rtol * size, self.rtol_of_largest * largest)
            bound: Array = self.atol + relative
        return bound

    def allows(self, actual: Array, expected: Array) -> Array:
        """Return which elements agree (bool, same shape); NaN and infinity agree with equals."""
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(actual - expected) <= self.bound(expected)
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        agreed: Array = np.where(np.isfinite(expected), near, same)
        return agreed


def tolerance(spec: Tolerances, case: SolvedCase) -> Tolerance:
    """Return the tolerance for the lowest precision among a case's inputs."""
    # Of torch's types the name is enough: torch need not be loaded here.
    dtypes = {str(getattr(value, "dtype", "")) for value in case.arguments.values()}
    if dtypes & {"float32", "torch.float32"}:
        of_largest = min(spec.rtol_float32, spec.rtol_of_largest)
        return Tolerance(spec.rtol_float32, spec.atol_float32, of_largest)
    return Tolerance(spec.rtol, spec.atol, min(spec.rtol, spec.rtol_of_largest))


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing one value.

    ``message`` says where and how much, ``cause`` what probably led to it, and ``remark`` how that
    is worded after the message (None: as in the cause). ``ratio`` is that of a single number to the
    expected one. ``max_abs`` and ``max_rel`` are the largest
    differences, None if shapes or types forbid any.
    """

    name: str
    reason: Reason | None = None
    message: str = ""
    cause: Cause | None = None
    max_abs: float | None = None
    max_rel: float | None = None
    remark: str | None = None
    ratio: float | None = None

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
        return Comparison(name, *_not_an_array(name, actual, expected))
    if array.shape != expected.shape:
        message = f"{name}: shape {array.shape}, expected {expected.shape}"
        return Comparison(name, "wrong_shape", message, causes.shape(array, expected))
    if array.dtype.kind not in "fiu" or (exact_dtype and array.dtype != expected.dtype):
        message = f"{name}: dtype {array.dtype}, expected {expected.dtype}"
        return Comparison(name, "wrong_dtype", message)
    if expected.size == 0:
        return Comparison(name, max_abs=0.0, max_rel=0.0)
    with np.errstate(all="ignore"):  # a student's numbers may overflow whatever is done with them
        found = _compare_numbers(
            name, array.astype(np.float64), expected.astype(np.float64), tolerance
        )
    narrower = array.dtype.kind == "f" and array.dtype.itemsize < expected.dtype.itemsize
    if found.reason == "mismatch" and narrower and (found.max_rel or 0) < ROUNDING:
        text = f"it is {array.dtype} instead of {expected.dtype}, so it loses digits"
        return replace(found, cause=Cause("lower_precision", text))
    return found


def _compare_numbers(name: str, actual: Array, expected: Array, tolerance: Tolerance) -> Comparison:
    good = tolerance.allows(actual, expected)
    # What is not finite has no difference; it is named in the message instead.
    finite = np.isfinite(actual) & np.isfinite(expected)
    difference = np.abs(np.where(finite, actual - expected, 0.0))
    relative = difference / np.where(expected == 0, 1.0, np.abs(np.where(finite, expected, 1.0)))
    max_abs, max_rel = float(difference.max()), float(relative.max())
    if good.all():
        return Comparison(name, max_abs=max_abs, max_rel=max_rel)
    bad = int((~good).sum())
    not_finite = ~np.isfinite(actual) & np.isfinite(expected)
    if not_finite.any():
        where = _index(np.argmax(not_finite), actual.shape)
        count = f"{int(not_finite.sum())} of {actual.size} entries are NaN or infinite"
        message = f"{name}: {count}; first at {where}" if actual.shape else f"{name} is {actual}"
        return Comparison(name, "not_finite", message, None, max_abs, max_rel)
    bound = np.broadcast_to(tolerance.bound(expected), expected.shape)
    excess = np.where(finite, difference - bound, np.inf)
    excess = np.where(good, -1.0, excess)
    # Of entries that are off by the same amount it is the first, whatever rounding says.
    worst = np.unravel_index(int(np.argmax(excess >= excess.max() * (1 - TIE))), actual.shape)
    got, wanted = _number(actual[worst], expected[worst])
    if actual.shape:
        message = (
            f"{name}: {bad} of {actual.size} entries differ; worst at "
            f"{list(map(int, worst))}: got {got}, expected {wanted}"
        )
    else:
        message = f"{name}: got {got}, expected {wanted}"
    message += f" (off by {difference[worst]:.2g}"
    message += f", allowed {bound[worst]:.2g})" if np.isfinite(bound[worst]) else ")"
    cause = causes.values(actual, expected, tolerance.allows, good) if finite.all() else None
    one = actual.size == 1 and finite.all() and expected.all()
    ratio = float(actual.item() / expected.item()) if one else None
    return Comparison(name, "mismatch", message, cause, max_abs, max_rel, ratio=ratio)


def _not_an_array(name: str, actual: Any, expected: Array) -> tuple[Reason, str]:
    wanted = f"an array of shape {expected.shape}" if expected.shape else "a number"
    if actual is None:
        return "not_implemented", f"{name} is None, expected {wanted}"
    if type(actual) in (list, tuple):
        kind = f"a {type(actual).__name__} of {len(actual)}"
        remedy = f" (use np.stack({name}) to join arrays)" if expected.ndim > 1 else ""
        return "wrong_shape", f"{name} is {kind}, expected {wanted}{remedy}"
    return "wrong_dtype", f"{name} is {described_type(actual)}, expected {wanted}"


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
