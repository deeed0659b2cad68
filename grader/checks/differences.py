"""Central differences of a student's own forward function, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks.expectations import Tolerance
from grader.checks.numerics import as_array
from grader.model import Array

from .student_code import StudentModule

STEP = 1.0e-5  # in float64 the error of the differences is then about 1e-10
TOLERANCE = Tolerance(rtol=1.0e-5, atol=1.0e-7)
MAX_ENTRIES = 40  # entries per argument that are differentiated, drawn at random


@dataclass(frozen=True)
class Differences:
    """A forward function of a student's module, at the inputs of a case.

    ``values`` are those of its outputs (``returns``) that are differentiated.
    """

    module: StudentModule
    case: SolvedCase
    forward: str
    returns: Sequence[str]
    opaque: Sequence[str]
    values: Sequence[str]

    def slopes(self, argument: str, entries: Sequence[int]) -> Array:
        """Return the derivatives of sum(cotangent * output) by entries of an argument.

        Raises:
            Failure: the forward function fails.
        """
        return slopes_of(self._outputs, self.case, argument, entries, self.values)

    def _outputs(self, arguments: Sequence[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return self.module.call_each(self.forward, arguments, self.returns, self.opaque)


def slopes_of(
    outputs: Callable[[Sequence[dict[str, Any]]], Sequence[Mapping[str, Any]]],
    case: SolvedCase,
    argument: str,
    entries: Sequence[int],
    values: Sequence[str],
) -> Array:
    """Return the derivatives of sum(cotangent * output) by entries of an argument.

    Args:
        outputs: returns, for each of several arguments by name, the outputs by name.
        case: the arguments around which to differentiate, and the cotangents.
        argument: the one to differentiate by.
        entries: of it, as positions in the flat array.
        values: the names of the outputs.
    """
    around = []
    for entry in entries:
        for step in (STEP, -STEP):
            moved: Array = np.array(case.arguments[argument], dtype=np.float64)
            moved.reshape(-1)[entry] += step
            around.append({**case.arguments, argument: moved})
    sums = [
        sum(_weighted(case.cotangents, name, found[name]) for name in values)
        for found in outputs(around)
    ]
    pairs = zip(sums[::2], sums[1::2], strict=True)
    return np.array([(above - below) / (2 * STEP) for above, below in pairs])


def chosen_entries(size: int, seed: int) -> list[int]:
    """Return the entries of an array of this size that are differentiated, drawn with ``seed``."""
    chosen = np.random.default_rng([seed, 2]).permutation(size)[:MAX_ENTRIES]
    return [int(entry) for entry in chosen]


def agrees(gradient: Any, shape: tuple[int, ...], entries: Sequence[int], slopes: Array) -> bool:
    """Say whether a gradient of this shape has these slopes at these entries."""
    array = as_array(gradient)
    if array is None or array.shape != shape or array.dtype.kind != "f":
        return False
    claimed = array.astype(np.float64).reshape(-1)[list(entries)]
    return bool(TOLERANCE.allows(claimed, slopes).all())


def _weighted(cotangents: Mapping[str, Array], name: str, output: Any) -> float:
    array = as_array(output)
    weight = cotangents.get(name, np.ones(()))
    if array is None or array.dtype.kind != "f" or weight.shape != array.shape:
        return float("nan")
    return float((array.astype(np.float64) * weight).sum())


def is_double(value: Any) -> bool:
    """Say whether differences of an argument have the digits that they need."""
    return not isinstance(value, np.ndarray) or value.dtype != np.float32
