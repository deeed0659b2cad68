"""An assignment whose cases have other sizes: what no case has, no check sees.

Axes that are equally long in every case, or a whole number of times as long, have one size: the
columns of ``Wx`` are four times those of ``h``. Each size is drawn anew, in every order. What the
reference cannot do with it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment.reference import Assignment
from grader.author.cases import Case
from grader.errors import RAISED, BrokenError
from grader.model import Sizes

LARGEST = 8
TRIES = 12  # for each case
Axis = tuple[str, int]  # an argument and its axis
Lengths = dict[Axis, tuple[int, ...]]  # in each case


class ResizedAssignment(Assignment):
    """An assignment that draws the arrays of its cases with other sizes.

    Cases that hold anything else than arrays and numbers stay as they are, and so do those of
    which it is not known what the reference does with them.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.resized: set[str] = set()  # the generators whose cases have other sizes

    def _cases_uncached(
        self, module: str, function: str, seed: int, sizes: Sizes
    ) -> tuple[Case, ...]:
        cases = super()._cases_uncached(module, function, seed, sizes)
        lengths = _lengths(cases)
        run = getattr(self.solution(module), function, None)
        if lengths is None or not callable(run):
            return cases
        rng = np.random.default_rng([seed, 3])
        found = []
        for case in cases:
            for _try in range(TRIES):
                arguments = _redrawn(case.arguments, lengths, rng)
                try:
                    with np.errstate(all="ignore"):
                        run(*arguments.values())
                except (*RAISED, BrokenError):
                    continue
                found.append(Case(case.name, arguments, case.group))
                break
        if not found:
            return cases
        self.resized.add(function)
        return tuple(found)


def _lengths(cases: Sequence[Case]) -> Lengths | None:
    """Return how long each axis is in each case; None if the cases are not alike."""
    found: dict[Axis, list[int]] = {}
    for case in cases:
        for name, value in case.arguments.items():
            if isinstance(value, np.ndarray):
                for axis, length in enumerate(value.shape):
                    found.setdefault((name, axis), []).append(length)
            elif not isinstance(value, int | float | np.generic):
                return None
    alike = all(len(lengths) == len(cases) for lengths in found.values())
    return {axis: tuple(lengths) for axis, lengths in found.items()} if found and alike else None


def _redrawn(
    arguments: Mapping[str, Any], lengths: Lengths, rng: np.random.Generator
) -> dict[str, Any]:
    """Return arguments with arrays of other sizes, drawn like the old ones."""
    sizes: dict[tuple[int, ...], int] = {}
    new: dict[Axis, int] = {}
    for axis, own in sorted(lengths.items(), key=lambda item: item[1]):
        base = next((b for b in sizes if _times(own, b)), None)
        if base is None:
            sizes[own] = int(rng.integers(1, LARGEST + 1))
            base = own
        new[axis] = sizes[base] * _times(own, base)
    return {
        name: _like(value, tuple(new[name, axis] for axis in range(value.ndim)), rng)
        if isinstance(value, np.ndarray)
        else value
        for name, value in arguments.items()
    }


def _times(longer: Sequence[int], shorter: Sequence[int]) -> int:
    """Return how many times as long an axis is in every case; 0 if that differs."""
    if any(b == 0 for b in shorter):
        return 0
    found = {(a // b if a % b == 0 else 0) for a, b in zip(longer, shorter, strict=True)}
    return found.pop() if len(found) == 1 else 0


def _like(value: np.ndarray[Any, Any], shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    if value.size == 0:
        return np.zeros(shape, value.dtype)
    if value.dtype.kind == "f":
        spread = float(value.std()) or 1.0
        return (float(value.mean()) + spread * rng.standard_normal(shape)).astype(value.dtype)
    return rng.choice(value.reshape(-1), size=shape)
