"""What a gradient function costs beside its forward function.

A gradient by formulas costs one to three times what the forward function does. One by differences,
real or complex, calls that function once or twice for each entry of its inputs: hundreds of times
even for small ones. The time is measured on this side, on a case that is made larger.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.errors import RAISED, Blocked, Failure

MANY = 20.0  # times its forward; loops in Python beside a forward without any stay below
FACTORS = (8, 6, 4, 3, 2)  # of every axis: shapes that fit still do
MOST_ENTRIES = 2000  # of all inputs together
REPEATS = 3  # the shortest time counts, so that a busy machine looks like nothing
FAR_FROM_MANY = 0.25  # times ``MANY``: one call of each is enough then, on any machine
CLEARLY = 5.0  # times ``MANY``: two calls are enough then
MOST_KEPT = 64  # larger cases: all submissions are measured on the same
OVERHEAD_S = 2e-3  # of a call in a worker, for what is compared with a call on this side

# With the cases that they were made from, so that no other object gets their number.
_ENLARGED: OrderedDict[int, tuple[SolvedCase, SolvedCase]] = OrderedDict()


def ratio(
    forward: Callable[[SolvedCase], dict[str, Any]],
    backward: Callable[[SolvedCase, dict[str, Any]], object],
    case: SolvedCase,
) -> float | None:
    """Return how many times longer a gradient function takes than its forward function.

    None if that is less than ``MANY``, or if the functions do not take larger inputs.
    """
    larger = enlarged(case)

    def both() -> tuple[float, float]:
        started = time.perf_counter()
        own = forward(larger)  # anew: a backward may consume what it has kept
        return time.perf_counter() - started, _seconds(partial(backward, larger, own))

    try:
        once, then = both()
        if then < FAR_FROM_MANY * MANY * once:
            return None
        once = min(once, *(_seconds(partial(forward, larger)) for _ in range(REPEATS)))
        return _many(lambda: both()[1], once)
    except (Failure, Blocked):
        return None


def beside(student: Callable[[], object], reference: Callable[[], object]) -> float | None:
    """Return how many times longer student code takes than the reference does on this side.

    For gradients that come together with the values that they belong to. None if that is less than
    ``MANY``, or if one of them does not take these inputs.
    """
    try:
        right = min(_seconds(reference) for _ in range(REPEATS)) + OVERHEAD_S
    except RAISED:
        return None  # the inputs were made larger, and may not fit any more
    try:
        return _many(partial(_seconds, student), right)
    except (Failure, Blocked):
        return None


def _many(measured: Callable[[], float], once: float) -> float | None:
    """Return how often ``once`` goes into the shortest of some times; None if less than MANY."""
    best = float("inf")
    for repeat in range(REPEATS):
        best = min(best, measured() / once)
        if best < MANY:
            return None
        if repeat and best > CLEARLY * MANY:  # a third one may take long, and says no more
            break
    return best


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def enlarged(case: SolvedCase) -> SolvedCase:
    """Return a case with every axis of every array some times as long; it is made once."""
    kept = _ENLARGED.get(id(case))
    if kept is None or kept[0] is not case:
        kept = _ENLARGED[id(case)] = (case, _enlarged(case))
        while len(_ENLARGED) > MOST_KEPT:
            _ENLARGED.popitem(last=False)
    return kept[1]


def _enlarged(case: SolvedCase) -> SolvedCase:
    arrays = {name: v for name, v in case.arguments.items() if isinstance(v, np.ndarray)}

    def entries(factor: int) -> int:
        return sum(int(value.size) * factor**value.ndim for value in arrays.values())

    factor = next((f for f in FACTORS if entries(f) <= MOST_ENTRIES), 1)

    def tiled(values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: np.tile(v, (factor,) * v.ndim) if isinstance(v, np.ndarray) else v
            for name, v in values.items()
        }

    return replace(case, arguments=tiled(case.arguments), cotangents=tiled(case.cotangents))
