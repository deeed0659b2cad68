"""Thresholds of a training check at which right programs keep full points, whatever the seed.

The metric of a right program differs from seed to seed. Given n of them, the share of seeds below a
threshold is bounded from above with 95 % confidence by the one-sided tolerance limit of a normal
distribution: mean - k s, with k from the noncentral t distribution (G. J. Hahn and W. Q. Meeker,
Statistical Intervals, 1991, section 4.6; NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.6.3).
Metrics between 0 and 1 are compared as log-odds, others as logarithms, where they are nearer to a
normal distribution; the test of Shapiro and Wilk says if they are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.calibration.kept_runs import MeasuredRun
from grader.model import Array

CONFIDENCE = 0.95
MISSED = 1.0e-3  # the share of seeds on which a right program may miss full points
LEAST = 5  # runs of a program that say anything about a distribution
EDGE = 1.0e-3  # from 0 and 1: log-odds end there
NOT_NORMAL = 0.01  # p value of Shapiro and Wilk
STEPS = 40  # of a bisection
STEP, DIGITS = 0.01, 2  # between thresholds that are tried


@dataclass(frozen=True)
class Repeats:
    """How a near miss is repeated: ``extra`` further runs from ``near`` below, then the median."""

    near: float
    extra: int


@dataclass(frozen=True)
class Distribution:
    """The metric of one program over seeds.

    Attributes:
        program: its name.
        values: one per seed.
        rises: whether more is better.
    """

    program: str
    values: tuple[float, ...]
    rises: bool

    @property
    def median(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def worst(self) -> float:
        """The worst."""
        return min(self.values) if self.rises else max(self.values)

    @property
    def is_constant(self) -> bool:
        """Whether all runs gave the same."""
        return len(set(self.values)) == 1

    @property
    def looks_normal(self) -> bool:
        """Whether the values, as they are compared, may come from a normal distribution."""
        from scipy import stats

        return self.is_constant or bool(stats.shapiro(self._moved(self.values)).pvalue > NOT_NORMAL)

    def below(self, threshold: float) -> float:
        """Return the upper bound, with 95 % confidence, of the share of seeds that are worse.

        Without any spread it is the bound of the binomial distribution: 1 - 0.05^(1/n).
        """
        from scipy import stats

        count = len(self.values)
        if self.is_constant:
            reached = (self.values[0] >= threshold) == self.rises or self.values[0] == threshold
            return float(1 - (1 - CONFIDENCE) ** (1 / count)) if reached else 1.0
        moved = self._moved(self.values)
        distance = moved.mean() - float(self._moved((threshold,))[0])
        measured = math.sqrt(count) * distance / moved.std(ddof=1)
        low, high = -12.0, 12.0  # normal quantiles of the share that is not worse
        for _ in range(STEPS):
            middle = (low + high) / 2
            share = stats.nct.cdf(measured, count - 1, math.sqrt(count) * middle)
            low, high = (middle, high) if share >= CONFIDENCE else (low, middle)
        return float(stats.norm.sf(low))

    def missed(self, threshold: float, repeats: Repeats) -> float:
        """Return the upper bound of the share of gradings that miss full points."""
        from scipy import stats

        first = self.below(threshold)
        if repeats.extra == 0 or repeats.near == 0:
            return first
        runs = repeats.extra + 1
        needed = runs // 2 + 1 if runs % 2 else runs // 2
        again = float(stats.binom.sf(needed - 2, repeats.extra, first))
        far = threshold - repeats.near if self.rises else threshold + repeats.near
        at_once = min(first, self.below(far))
        return at_once + (first - at_once) * again

    def _moved(self, values: Sequence[float]) -> Array:
        array = np.asarray(values, dtype=np.float64)
        if all(0 <= value <= 1 for value in self.values):
            inside = np.clip(array, EDGE, 1 - EDGE)
            moved: Array = np.log(inside / (1 - inside))
        else:
            moved = np.log(np.maximum(array, EDGE))
        return moved if self.rises else -moved


@dataclass(frozen=True)
class Threshold:
    """What the runs of a training check say about its thresholds.

    Attributes:
        check: its id.
        metric: what is measured.
        zero_at, full_at: the thresholds of the rubric.
        repeats: how near misses are repeated.
        right, wrong: the programs' distributions; the best wrong program comes first.
    """

    check: str
    metric: str
    zero_at: float
    full_at: float
    repeats: Repeats
    right: tuple[Distribution, ...]
    wrong: tuple[Distribution, ...]

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.full_at > self.zero_at

    @property
    def measured(self) -> tuple[Distribution, ...]:
        """The right programs with enough runs, the worst first."""
        enough = [one for one in self.right if len(one.values) >= LEAST]
        return tuple(sorted(enough, key=self.missed, reverse=True))

    def missed(self, program: Distribution) -> float:
        """Return how often a program may miss full points with the rubric's threshold."""
        return program.missed(self.full_at, self.repeats)

    def gained(self, program: Distribution) -> float:
        """Return how often a wrong program may reach full points at the first try.

        NaN with fewer than ``LEAST`` runs.
        """
        if len(program.values) < LEAST:
            return math.nan
        return replace(program, rises=not program.rises).below(self.full_at)

    @property
    def proposed(self) -> float | None:
        """The strictest threshold, with two digits, that no right program misses too often.

        None if the rubric's serves, or if nothing is known. Programs whose runs are all equal say
        nothing about a better one.
        """
        known = [one for one in self.measured if not one.is_constant]
        if all(self.missed(one) <= MISSED for one in known):
            return None
        step = -STEP if self.rises else STEP
        first = round(self.full_at / STEP) * STEP + step
        for tried in np.arange(first, self.zero_at, step).round(DIGITS).tolist():
            if all(one.missed(tried, self.repeats) <= MISSED for one in known):
                return float(tried)
        return None

    @property
    def verdict(self) -> str:
        """What is to be done, in words; empty if nothing is."""
        if not self.measured:
            return f"fewer than {LEAST} runs of any right program"
        proposed = self.proposed
        known = [one for one in self.measured if not one.is_constant]
        if proposed is not None:
            return (
                f"{known[0].program} may miss full points in {self.missed(known[0]):.2g} of all "
                f"runs; full_at: {proposed:g} would do"
            )
        if known and self.missed(known[0]) > MISSED:
            return f"no threshold on this side of zero_at serves {known[0].program}"
        if not known:
            count = min(len(one.values) for one in self.measured)
            return (
                f"all runs are equal; {count} of them show only that at most "
                f"{100 * self.measured[0].below(self.full_at):.2g} % are worse"
            )
        return ""


def distributions(runs: Sequence[MeasuredRun], role: str, *, rises: bool) -> list[Distribution]:
    """Return one per program; the best median comes first."""
    by_program: dict[str, list[float]] = {}
    for run in runs:
        if run.role == role:
            by_program.setdefault(run.program, []).extend(run.values.values())
    found = [Distribution(name, tuple(v), rises) for name, v in by_program.items() if v]
    return sorted(found, key=lambda one: one.median, reverse=rises)
