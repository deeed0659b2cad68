"""The time budget: the platform ends a long run with a zero, so the grader stops before that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from grader.errors import UsageError

VARIABLE = "GRADER_TIME_BUDGET_S"
DEFAULT_S = 540.0  # of the platform's 600; the rest is for starting and ending the run
LEAST_TRY_S = 2.0  # a check gets at least this; with less left, it does not run
Clock = Callable[[], float]


class TimeBudget:
    """Divides the remaining time among the checks that still have to run.

    A check may take an equal share of what is left, or more if its own limit is a larger part of
    all limits; what it does not use goes to later checks. So no slow check takes the time of all
    others.

    Args:
        total_s: seconds from now on.
        timeouts: the limits of the rubric, in seconds, by the id of the check.
        clock: a clock that only moves forward.
    """

    def __init__(
        self, total_s: float, timeouts: Mapping[str, float], clock: Clock = time.monotonic
    ) -> None:
        self.total_s = total_s
        self._waiting = dict(timeouts)
        self._clock = clock
        self._end = clock() + total_s

    def left_s(self) -> float:
        """Return the seconds that are left, not less than zero."""
        return max(0.0, self._end - self._clock())

    def share_s(self, check: str) -> float:
        """Return the seconds that a check which has not run yet may take."""
        fraction = max(1 / len(self._waiting), self._waiting[check] / sum(self._waiting.values()))
        left_s = self.left_s()
        # Most checks take a fraction of a second: their number must not make the share too small.
        return min(left_s, max(LEAST_TRY_S, left_s * fraction))

    def done(self, check: str) -> None:
        """Remove a check from the division."""
        self._waiting.pop(check, None)


def seconds(text: str) -> float:
    """Return the budget that the environment names; the default if it names none.

    Raises:
        UsageError: it is not a positive number.
    """
    if not text:
        return DEFAULT_S
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{VARIABLE}={text}: must be a number of seconds, such as 540")
    return value
