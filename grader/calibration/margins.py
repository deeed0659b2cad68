"""How far right and wrong values are from the tolerance of a check.

A difference is measured as a share of what the tolerance allows: right up to 1. The largest share
of all right programs must be far below 1, and the smallest of all wrong ones far above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.calibration.kept_runs import MeasuredRun

FACTOR = 10.0  # the margin that there must be on both sides


@dataclass(frozen=True)
class Margins:
    """The margins of a check.

    Attributes:
        check: its id.
        right: how many runs of right programs there are.
        wrong: how many of wrong programs, whose values differ.
        largest: the largest share of right programs.
        smallest: the smallest of wrong ones; infinity without any.
        nearest: the wrong program with the smallest.
        farthest: the right program with the largest.
    """

    check: str
    right: int
    wrong: int
    largest: float
    smallest: float
    farthest: str = ""
    nearest: str = ""

    @property
    def factor(self) -> float:
        """What the tolerances must be multiplied with for a margin of ``FACTOR`` on both sides.

        1 if they have it; NaN if no tolerance has.
        """
        least, most = self.largest * FACTOR, self.smallest / FACTOR
        if least <= 1 <= most:
            return 1.0
        if least > most:
            return math.nan
        return least if least > 1 else most

    @property
    def verdict(self) -> str:
        """What is to be done, in words; empty if nothing is."""
        factor = self.factor
        if factor == 1:
            return ""
        if math.isnan(factor):
            return (
                f"no tolerance leaves a factor of {FACTOR:g} on both sides: {self.nearest} is too "
                f"near to {self.farthest}"
            )
        if factor > 1:
            return f"too strict: {self.farthest} uses {self.largest:.2g} of the tolerance"
        return f"too generous: {self.nearest} differs by only {self.smallest:.2g} times as much"


def margins_of(check: str, runs: Sequence[MeasuredRun]) -> Margins | None:
    """Return the margins of a check; None if no right program was compared.

    A run of a right program that loses points counts: its share is above 1. Wrong programs count
    that lose points for values that differ; the others tell nothing about a tolerance.
    """
    right = [(max(one.values.values()), one.program) for one in _of(runs, "right")]
    wrong = [(max(one.values.values()), one.program) for one in _of(runs, "wrong")]
    wrong = [(share, name) for share, name in wrong if share > 1]
    if not right:
        return None
    largest, farthest = max(right)
    smallest, nearest = min(wrong, default=(math.inf, ""))
    return Margins(check, len(right), len(wrong), largest, smallest, farthest, nearest)


def _of(runs: Sequence[MeasuredRun], role: str) -> list[MeasuredRun]:
    return [one for one in runs if one.role == role and one.values]


def rounded(value: float) -> float:
    """Return a tolerance with one digit: 1, 2 or 5 times a power of ten, nearest by ratio."""
    power = 10.0 ** math.floor(math.log10(value))
    best = min((1, 2, 5, 10), key=lambda digit: abs(math.log(value / power / digit)))
    return float(f"{best * power:.0e}")
