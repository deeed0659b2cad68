"""Likely causes: what a wrong array has in common with the right one.

Each finder looks for one relation that a typical mistake leaves behind (a constant factor, a
transposition, blocks in another order) and words it as a question to the student. A relation is
only reported if it holds for the whole array within the check's own tolerance. Nothing here decides
points.

Each cause has an identifier beside its words, so that a class's reports can be counted by it. It is
part of the report's contract (docs/reports.md): it does not change with the words.
"""

from __future__ import annotations

import builtins
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from grader.errors import Blocked, Cause, Failure, Reason
from grader.model import Array, Part

Close = Callable[[Array, Array], Array]
SMALL_RELATIVE = 1.0e-3  # below this a difference looks like an epsilon, not like another formula
RATIO_SPREAD = 1.0e-6
NEGLIGIBLE = 1.0e-6  # entries this much smaller than the largest have no ratio worth looking at
MAX_WHOLE = 10_000  # the largest factor of a single number that is more than chance
MIN_SIZE = 3  # fewer entries agree with anything by chance
BLOCK_COUNTS = (4, 3, 2)  # gates of an LSTM, of a GRU, halves
# Reasons that say why, and not only what was seen.
OF_REASONS: dict[Reason, str] = {
    "not_implemented": "it is not implemented yet",
    "missing": "a function or a file is missing",
    "timeout": "it takes longer than allowed",
    "memory": "it needs more memory than allowed",
    "crashed": "its process crashed",
    "output_limit": "it prints or writes more than allowed",
    "mutated_input": "it changes its arguments in place",
}
# In a description of a mistake these tell one formula from another.
SIGNS = {"+": "plus", " - ": "minus", "*": "times", "/": "over", "=": "is", "@": "at"}
# Causes that say where values are right, and not what makes the others wrong.
PLACES: frozenset[str] = frozenset(["one_index_right", "one_index_wrong", "some_indices_right"])
NOT_AN_ARRAY = Cause("not_an_array", "it is a list or another object, not an array of numbers")
NUMBER_OF_VALUES = Cause("number_of_values", "it returns another number of values")
# In a piece of a formula, between backticks, every sign does.
SIGNS_OF_FORMULAS = {"-": "minus", ":": "colon", "<": "less", ">": "more", "!": "not", "~": "not"}
MAX_SLUG = 60  # characters; what is cut off is told apart by a digest
PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # student code names it: not at any length


def shape(actual: Array, expected: Array) -> Cause | None:  # noqa: PLR0911 - one line per relation
    """Return what could explain a wrong shape."""
    got, wanted = actual.shape, expected.shape
    if not wanted and actual.size == 1:
        return Cause("array_for_number", "return a number instead of an array with one entry")
    if got == tuple(size for size in wanted if size != 1):
        text = "an axis of size 1 was dropped (by squeeze, indexing or a sum without keepdims?)"
        return Cause("axis_dropped", text)
    if wanted == tuple(size for size in got if size != 1):
        return Cause("axis_left_over", "there is an extra axis of size 1")
    if got == wanted[::-1]:
        return Cause("transposed", "it is transposed")
    if sorted(got) == sorted(wanted):
        text = f"the axes are in another order: {_axes(got, wanted)}"
        return Cause("order_of_axes", text)
    if len(got) < len(wanted) and _is_subsequence(got, wanted):
        return Cause("axis_summed_away", "an axis was summed or indexed away")
    if len(got) > len(wanted) and _is_subsequence(wanted, got):
        return Cause("sum_missing", "is a sum over an axis missing?")
    return None


def _axes(got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    swapped = [axis for axis, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b]
    return f"axes {' and '.join(map(str, swapped))} are swapped"


def _is_subsequence(short: tuple[int, ...], long: tuple[int, ...]) -> bool:
    rest = iter(long)
    return all(any(size == other for other in rest) for size in short)


def values(actual: Array, expected: Array, close: Close, good: Array) -> Cause | None:
    """Return what could explain wrong values; arguments are float64 arrays of equal shape.

    Args:
        actual: the student's values, finite.
        expected: the right ones.
        close: the comparison rule, elementwise.
        good: which elements agree.
    """
    if actual.size < MIN_SIZE:
        return _small(actual, expected) or _whole_ratio(actual, expected)
    if not actual.any() and expected.any():
        return Cause("zeros", "every entry is 0: did you fill it in?")
    return (
        _ratio(actual, expected)
        or _small(actual, expected)
        or _offset(actual, expected)
        or _rearranged(actual, expected, close)
        or _reshaped(actual, expected, close)
        or _blocks(actual, expected, close)
        or _function(actual, expected, close)
        or _slices(good, expected)
    )


def _ratio(actual: Array, expected: Array) -> Cause | None:
    """All entries are the same multiple of the expected ones."""
    usable = np.abs(expected) > np.abs(expected).max() * NEGLIGIBLE
    rest = np.abs(actual[~usable]).max(initial=0.0)
    if usable.sum() < MIN_SIZE or rest > np.abs(actual).max() * NEGLIGIBLE:
        return None
    ratios = actual[usable] / expected[usable]
    ratio = float(np.median(ratios))
    if not math.isclose(ratio, 0) and np.abs(ratios / ratio - 1).max() < RATIO_SPREAD:
        if math.isclose(ratio, -1, rel_tol=RATIO_SPREAD):
            return Cause("sign", "every entry has the wrong sign")
        if abs(ratio - 1) < SMALL_RELATIVE:
            return None
        factor = 1 / ratio if abs(ratio) < 1 else ratio
        if not math.isfinite(factor):
            return None
        size = f"{round(factor)}" if _is_whole(factor) else f"{factor:.4g}"
        what = "missing" if abs(ratio) < 1 else "too many"
        return Cause("factor", f"every ratio is {ratio:.4g}: is a factor of {size} {what}?")
    return None


def _whole_ratio(actual: Array, expected: Array) -> Cause | None:
    """A number or two: only a sign or a whole factor is more than chance."""
    with np.errstate(all="ignore"):
        ratios = (actual / expected).ravel()
        ratio = float(ratios[0])
        constant = np.abs(ratios / ratio - 1).max() < RATIO_SPREAD  # not so if any is NaN
    size = max(abs(ratio), 1 / abs(ratio)) if ratio else math.inf
    if not constant or size > MAX_WHOLE:
        return None
    if math.isclose(ratio, -1, rel_tol=RATIO_SPREAD):
        return Cause("sign", "it has the wrong sign")
    if not _is_whole(size) or round(size) == 1:
        return None
    times = f"{round(math.copysign(size, ratio))}"
    if abs(ratio) > 1:
        return Cause("factor", f"it is {times} times as large as expected: is a division missing?")
    return Cause("factor", f"times {times} it is the expected value: is it divided once too often?")


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < RATIO_SPREAD * abs(number)


def _small(actual: Array, expected: Array) -> Cause | None:
    """The differences are tiny: an epsilon or single precision rather than another formula."""
    scale = np.abs(expected).max(initial=0.0)
    if scale > 0 and np.abs(actual - expected).max() < SMALL_RELATIVE * scale:
        text = "it is nearly right: did you add a small constant or use a lower precision?"
        return Cause("nearly_right", text)
    return None


def _offset(actual: Array, expected: Array) -> Cause | None:
    difference = actual - expected
    offset = float(difference.mean())
    if np.abs(difference - offset).max() < RATIO_SPREAD * abs(offset):
        return Cause("offset", f"every entry is off by the same {offset:.4g}")
    return None


def _rearranged(actual: Array, expected: Array, close: Close) -> Cause | None:
    """The right entries in other places."""
    square = actual.ndim == 2 and actual.shape[0] == actual.shape[1]  # noqa: PLR2004
    if square and close(actual.T, expected).all():
        return Cause("transposed", "it is transposed")
    for axis, size in enumerate(actual.shape):
        if size < 2:  # noqa: PLR2004
            continue
        if close(np.flip(actual, axis), expected).all():
            return Cause("reversed", f"it is reversed along axis {axis}")
        if size == 2:  # noqa: PLR2004
            continue  # one of two in the other's place has not been shifted
        later, earlier = range(1, size), range(size - 1)
        for source, place in ((later, earlier), (earlier, later)):
            shifted, wanted = np.take(actual, source, axis), np.take(expected, place, axis)
            if wanted.size < MIN_SIZE or not close(shifted, wanted).all():
                continue
            # Equal neighbors agree wherever they are moved to, and may be right where they stand.
            if not close(shifted, np.take(expected, source, axis)).all():
                return Cause("shifted", f"it is shifted by one along axis {axis}")
    return None


def _reshaped(actual: Array, expected: Array, close: Close) -> Cause | None:
    """The right entries of another order of the first two axes, read as if it were this one."""
    if actual.ndim < 2 or min(actual.shape[:2]) < 2:  # noqa: PLR2004
        return None
    rows, columns, *rest = expected.shape
    exchanged_before = np.swapaxes(expected, 0, 1).reshape(expected.shape)
    exchanged_after = np.swapaxes(expected.reshape(columns, rows, *rest), 0, 1)
    if close(actual, exchanged_before).all() or close(actual, exchanged_after).all():
        text = "its first two axes are mixed up: reshape does not exchange axes, transpose does"
        return Cause("reshaped", text)
    return None


def _blocks(actual: Array, expected: Array, close: Close) -> Cause | None:
    """Blocks of the last axis (the gates of a cell) are in another order."""
    if actual.ndim == 0:
        return None
    for count in BLOCK_COUNTS:
        if actual.shape[-1] % count or actual.size // count < MIN_SIZE:
            continue
        yours, right = np.split(actual, count, -1), np.split(expected, count, -1)
        order = [
            next((i for i, block in enumerate(right) if close(mine, block).all()), None)
            for mine in yours
        ]
        if None not in order and len(set(order)) == count:
            text = f"its {count} blocks along the last axis are those of {order}: gate order?"
            return Cause("order_of_blocks", text)
    return None


def _function(actual: Array, expected: Array, close: Close) -> Cause | None:
    """A common function of the student's values gives the right ones."""
    with np.errstate(all="ignore"):
        for name, words, result in (
            ("tanh", "tanh", np.tanh(actual)),
            ("sigmoid", "the sigmoid", 1 / (1 + np.exp(-actual))),
            ("exp", "exp", np.exp(actual)),
            ("square", "the square", actual**2),
            ("one_minus", "1 - (...)", 1 - actual),
        ):
            if np.isfinite(result).all() and close(result, expected).all():
                text = f"{words} of your values gives the expected ones: is it missing?"
                return Cause(f"function_missing.{name}", text)
    return None


def _slices(good: Array, expected: Array) -> Cause | None:
    """Some indices of an axis are right altogether and others are not.

    Where all that is right is 0 (what a mask leaves out), it tells nothing.
    """
    for axis, size in enumerate(good.shape):
        rest = tuple(other for other in range(good.ndim) if other != axis)
        right = [int(i) for i in np.flatnonzero(good.all(axis=rest))]
        if size < MIN_SIZE or not right or len(right) == size:
            continue
        if expected.any() and not np.take(expected, right, axis).any():
            continue
        if len(right) == 1:
            text = f"along axis {axis} only index {right[0]} is right"
            return Cause("one_index_right", text)
        if len(right) == size - 1:
            (wrong,) = set(range(size)) - set(right)
            return Cause("one_index_wrong", f"along axis {axis} only index {wrong} is wrong")
        if all(b == a + 1 for a, b in pairwise(right)):
            text = f"along axis {axis} only the indices {right[0]} to {right[-1]} are right"
            return Cause("some_indices_right", text)
    return None


def of_reason(reason: Reason | None) -> Cause | None:
    """Return the cause that a reason is in itself; None if it only says what was seen."""
    if reason is None or reason not in OF_REASONS:
        return None
    return Cause(reason, OF_REASONS[reason])


def of_failure(failed: Failure | Blocked) -> Cause | None:
    """Return the cause of a failure: the one that it names, or the one that its reason is."""
    return failed.cause or of_reason(failed.reason)


def completed(part: Part) -> Part:
    """Return a part with the cause that its reason is, if it lost points and names no other."""
    if part.cause is not None or part.reason is None:
        return part
    return replace(part, cause=of_reason(part.reason))


def of_mistake(function: str, description: str) -> Cause:
    """Return the cause for a mistake that the assignment names (``MISTAKES``).

    Its identifier follows from the function and the description: whoever words that anew starts a
    new count.
    """
    return Cause(f"mistake.{_slug(function)}.{_slug(description)}", description)


def of_exception(kinds: Sequence[str]) -> Cause:
    """Return the cause for an exception, given the names of its class and of those above it.

    Student code can give its classes any name: the nearest of Python's own counts.
    """
    known = next((kind for kind in kinds if _is_exception(kind)), "Exception")
    return Cause(f"exception.{known}", f"it raises {known}")


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def of_package(package: str, *, forbidden: bool) -> Cause:
    """Return the cause for a package that is not there, or that the question is to do without."""
    end = f".{package}" if PACKAGE.fullmatch(package) else ""
    what = f"the package{end.replace('.', ' ')}"
    if forbidden:
        return Cause(f"forbidden{end}", f"it uses {what}, which is forbidden in this question")
    return Cause(f"missing_package{end}", f"it needs {what}, which is not installed")


def follow_through(text: str) -> Cause:
    """Return the cause for a result that is wrong only as far as another function is."""
    return Cause("follow_through", text)


def _slug(text: str) -> str:
    """Return a text as a part of an identifier: lower case, words joined by underscores."""
    text = re.sub("`[^`]*`", _spelled, text)
    for sign, word in SIGNS.items():
        text = text.replace(sign, f" {word} ")
    slug = "_".join(re.findall(r"[^\W_]+", text.lower()))
    if 0 < len(slug) <= MAX_SLUG:
        return slug
    return f"{slug[:MAX_SLUG]}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _spelled(formula: re.Match[str]) -> str:
    words = SIGNS_OF_FORMULAS
    return "".join(f" {words[sign]} " if sign in words else sign for sign in formula.group())


def explains(cause: Cause | None) -> bool:
    """Say whether a cause is more than a place."""
    return cause is not None and cause.id not in PLACES
