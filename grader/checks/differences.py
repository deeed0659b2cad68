"""Central differences of a student's own forward function, in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.checks.numerics import Tolerance, as_array
from grader.model import Array

from .student_code import StudentModule

STEP = 1.0e-5  # in float64 the error of the differences is then about 1e-10
TOLERANCE = Tolerance(rtol=1.0e-5, atol=1.0e-7)
MAX_ENTRIES = 40  # entries per argument that are differentiated, drawn at random
ZERO = 1.0e-8  # a gradient this small everywhere proves nothing


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

    def slope(self, argument: str, entry: int) -> float:
        """Return the derivative of sum(cotangent * output) by one entry of an argument."""
        case, sides = self.case, []
        for step in (STEP, -STEP):
            moved: Array = np.array(case.arguments[argument], dtype=np.float64)
            moved.reshape(-1)[entry] += step
            sides.append(self._weighted_sum({**case.arguments, argument: moved}))
        return (sides[0] - sides[1]) / (2 * STEP)

    def _weighted_sum(self, arguments: dict[str, Any]) -> float:
        outputs = self.module.call(self.forward, arguments, self.returns, self.opaque)
        return sum(_weighted(self.case.cotangents, name, outputs[name]) for name in self.values)


def agrees(differences: Differences, argument: str, gradient: Any, seed: int) -> bool:
    """Say whether a gradient agrees with the differences at entries drawn with ``seed``.

    Raises:
        Failure: the forward function fails.
    """
    array = as_array(gradient)
    value: Array = differences.case.arguments[argument]
    if array is None or array.shape != value.shape or array.dtype.kind != "f":
        return False
    chosen = np.random.default_rng([seed, 2]).permutation(value.size)[:MAX_ENTRIES]
    numeric = np.array([differences.slope(argument, int(entry)) for entry in chosen])
    claimed = array.astype(np.float64).reshape(-1)[chosen]
    not_flat = np.abs(numeric).max(initial=0.0) > ZERO
    return bool(not_flat and TOLERANCE.allows(claimed, numeric).all())


def _weighted(cotangents: Mapping[str, Array], name: str, output: Any) -> float:
    array = as_array(output)
    weight = cotangents.get(name, np.ones(()))
    if array is None or array.dtype.kind != "f" or weight.shape != array.shape:
        return float("nan")
    return float((array.astype(np.float64) * weight).sum())


def is_double(value: Any) -> bool:
    """Say whether differences of an argument have the digits that they need."""
    return not isinstance(value, np.ndarray) or value.dtype != np.float32
