"""The cache that a right forward function would have made, as the student arranges it.

A gradient function reads a cache that only its own forward function knows how to make. Where that
one is wrong, it is tried on caches that hold right values. A cache need not be guessed safely: it
only ever serves to show that a gradient is right, by comparing the gradient with the right one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignment.reference import Assignment, SolvedCase
from grader.checks.numerics import as_array
from grader.errors import RAISED, BrokenError, Failure, WorkerLost
from grader.isolation.wire import Opaque
from grader.isolation.worker.answered import filled, names_in
from grader.isolation.worker.cache_layout import Place
from grader.model import Array, Signature

from .student_code import StudentModule

SURELY_NOT = 2.0  # times as far off as values that are the same may be
SAME = {"rtol": 1.0e-12, "atol": 0.0}  # a value that was only copied, perhaps rearranged
UNREADABLE = (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError)
MISSING = object()
MAX_LOOKED_AT = 4096  # places of a cache
Caches = dict[str, Any]  # by the name of the output


@dataclass(frozen=True)
class MadeCaches:
    """Caches for one case.

    Attributes:
        caches: by the name of the output.
        certain: whether all numbers in them are right ones. Where some are the student's own, wrong
            gradients prove nothing.
    """

    caches: Caches
    certain: bool


@dataclass(frozen=True)
class RightCaches:
    """Makes caches for the cases of one check.

    Attributes:
        assignment: whose case file knows what students keep.
        module: the student's, by name.
        forward: what the rubric says of the forward function.
        returns: the names of its outputs.
        backward: the gradient function.
    """

    assignment: Assignment
    module: str
    forward: Signature
    returns: Sequence[str]
    backward: str

    def made(self, student: StudentModule, case: SolvedCase, *, own: bool) -> Iterator[MadeCaches]:
        """Yield caches with right values for a case.

        Args:
            student: the module, in a worker.
            case: with the right outputs of the forward function.
            own: whether the student's own forward function returns for this case.
        """
        values = self._own_values(student, case) if own else None
        known = {**case.arguments, **case.forward, **self._known(case)}
        right = [array for value in known.values() if (array := as_array(value)) is not None]
        for caches in self._by_names(student, case, values):
            yield MadeCaches(caches, _are_known(caches, right))
        if values is not None and not any(map(_is_closed, values.values())):
            for caches in self._by_outputs(case, values, known):
                # Without a name, a right array may lie in another's place: the forward's mistake.
                certain = all(_are_named(cache, known) for cache in caches.values())
                yield MadeCaches(caches, certain)
        for caches in self._by_the_case_file(student, case):
            yield MadeCaches(caches, certain=True)

    def _own_values(self, student: StudentModule, case: SolvedCase) -> dict[str, Any] | None:
        try:
            return student.call(self.forward.function, case.arguments, self.returns)
        except WorkerLost:
            raise
        except Failure:
            return None

    def _by_names(
        self, student: StudentModule, case: SolvedCase, values: Mapping[str, Any] | None
    ) -> Iterator[Caches]:
        """Yield caches made by the names in the student's source."""
        layout = student.layout(self.forward)
        if layout is None:
            return
        known = self._known(case)
        try:
            given = dict(zip(layout["parameters"], case.arguments.values(), strict=False))
            known = {**given, **known}
            for name, output in zip(layout["outputs"], self.returns, strict=True):
                if name is not None and output in case.forward:
                    known.setdefault(name, case.forward[output])
            ways = [layout["caches"]]
            if layout["read"] is not None and [layout["read"]] != layout["caches"]:
                ways.append([layout["read"]])
            found = [
                self._filled(places, known, values)
                for places in ways
                if any(name in known for place in places for name in names_in(place))
            ]
        except UNREADABLE:
            return
        yield from (one for one in found if not any(_has_gaps(cache) for cache in one.values()))

    def _filled(
        self, places: Sequence[Place], known: Mapping[str, Any], values: Mapping[str, Any] | None
    ) -> Caches:
        caches = {}
        for index, place in zip(self.forward.opaque, places, strict=True):
            name = self.returns[index]
            instead = MISSING if values is None else values[name]
            caches[name] = filled(place, known, instead, MISSING)
        return caches

    def _known(self, case: SolvedCase) -> dict[str, Any]:
        found = self.assignment.intermediates(self.module, self.forward.function)
        if found is None:
            return {}
        try:
            return dict(found(*case.arguments.values()))
        except RAISED as error:
            what = f"INTERMEDIATES of {self.forward.function} raised"
            raise BrokenError(f"{what} {type(error).__name__}: {error}") from error

    def _by_outputs(
        self, case: SolvedCase, values: Mapping[str, Any], known: Mapping[str, Any]
    ) -> Iterator[Caches]:
        """Yield the student's own caches with right outputs in the place of their own.

        Then with right values in the place of those that a dictionary has by their names, too.
        """
        pairs: list[tuple[Array, Array]] = []
        for name, right in case.forward.items():
            wrong = as_array(values[name])
            if wrong is not None and wrong.shape == right.shape:
                pairs.append((wrong, right))
                if right.ndim > 1:
                    pairs += zip(wrong, right, strict=True)
        names = [self.returns[index] for index in self.forward.opaque]
        yield {name: _replaced(values[name], pairs, {}, [0]) for name in names}
        if any(_has_names(values[name]) for name in names):
            yield {name: _replaced(values[name], pairs, known, [0]) for name in names}

    def _by_the_case_file(self, student: StudentModule, case: SolvedCase) -> Iterator[Caches]:
        """Yield caches made by the student's other functions along right states."""
        make = self.assignment.caches(self.module, self.backward)
        if make is None:
            return

        def call(
            name: str, arguments: dict[str, Any], returns: list[str], opaque: list[str]
        ) -> Any:
            return student.call(name, arguments, returns, opaque)

        try:
            found = make(call, dict(case.arguments), dict(case.forward))
        except WorkerLost:
            raise
        except Failure:
            return
        except RAISED as error:
            what = f"CACHES of {self.backward} raised {type(error).__name__}: {error}"
            raise BrokenError(what) from error
        yield {self.returns[index]: found for index in self.forward.opaque}


def _is_closed(cache: Any) -> bool:
    """Say whether an object is in a cache into which nobody can look from here."""
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, tuple | list):
        return any(map(_is_closed, cache))
    return isinstance(cache, Opaque)


def _has_gaps(cache: Any) -> bool:
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, tuple | list):
        return any(map(_has_gaps, cache))
    return cache is MISSING


def _are_known(cache: Any, right: Sequence[Array]) -> bool:
    """Say whether all arrays of numbers in a cache are right ones, or rows of them."""
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, tuple | list):
        return len(cache) <= MAX_LOOKED_AT and all(_are_known(item, right) for item in cache)
    if not isinstance(cache, np.ndarray) or cache.dtype.kind != "f":
        return not isinstance(cache, Opaque)
    rows = [row for array in right if array.ndim > cache.ndim for row in array]
    return any(_is_same(cache, array) for array in (*right, *rows))


def _are_named(cache: Any, known: Mapping[str, Any]) -> bool:
    """Say whether all arrays of numbers in a cache are those that a dictionary's names mean."""
    if isinstance(cache, dict):
        return all(
            (key in known and item is known[key]) or _are_named(item, known)
            for key, item in cache.items()
        )
    if isinstance(cache, tuple | list):
        return len(cache) <= MAX_LOOKED_AT and all(_are_named(item, known) for item in cache)
    return not (
        (isinstance(cache, np.ndarray) and cache.dtype.kind == "f") or isinstance(cache, Opaque)
    )


def _is_same(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    if one.size and one.dtype.kind == other.dtype.kind == "f":
        # Most are not the same, and the first entry shows it.
        first, wanted = one.item(0), other.item(0)
        if math.isfinite(first - wanted) and abs(first - wanted) > SURELY_NOT * (
            SAME["atol"] + SAME["rtol"] * abs(wanted)
        ):
            return False
    with np.errstate(all="ignore"):
        difference = np.abs(one - other)
    if not np.isfinite(np.maximum.reduce(difference, axis=None, initial=0.0)):
        return bool(np.allclose(one, other, **SAME, equal_nan=True))
    # What np.allclose does with numbers, in a fifth of its time: hundreds of pairs are compared.
    return bool((difference <= SAME["atol"] + SAME["rtol"] * np.abs(other)).all())


def _has_names(cache: Any) -> bool:
    if isinstance(cache, tuple | list):
        return any(map(_has_names, cache[:MAX_LOOKED_AT]))
    return isinstance(cache, dict)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of an array, or of a list of equal ones; () of anything else."""
    try:
        return np.shape(value)
    except ValueError:  # of different shapes
        return ()


def _replaced(
    value: Any, pairs: list[tuple[Array, Array]], known: Mapping[str, Any], count: list[int]
) -> Any:
    """Return a cache in which arrays that are one of ``pairs`` are the other of it.

    Those that a dictionary holds by a name in ``known`` are what is known by it.
    """
    count[0] += 1
    if count[0] > MAX_LOOKED_AT:
        return value
    if type(value) is dict:
        return {
            key: known[key]
            if type(key) is str and _shape(known.get(key, MISSING)) == _shape(item) != ()
            else _replaced(item, pairs, known, count)
            for key, item in value.items()
        }
    if type(value) in (tuple, list):
        return type(value)(_replaced(item, pairs, known, count) for item in value)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    return next((right for wrong, right in pairs if _is_same(value, wrong)), value)
