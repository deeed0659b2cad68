"""The time that grading one submission may take (``grader grade --budget``).

Each check has its limit, and may start several workers: hand-ins that sleep in each of them would
hold a process for hours. What is not reached is ``pending``: nobody loses what was not shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from grader.frontends.gradescope.budget import TimeBudget
from grader.frontends.gradescope.time_and_memory import TimeAndMemory, timeouts
from grader.job import Submitted
from grader.model import CheckResult, CheckSpec, Question, Rubric

LEAST_USED_S = 0.05  # a check that took less was not started
MAX_SHOWN = 3  # checks that a message names for having used the time


class WholeBudget(TimeBudget):
    """Gives each check all that is left: the rubric's limits divide the time already."""

    def share_s(self, check: str) -> float:
        """Return the seconds that are left."""
        del check
        return self.left_s()


class WithinBudget(TimeAndMemory):
    """Ends a submission's checks when its time is used up; they run in the rubric's order.

    Args:
        rubric: the rubric.
        submitted: the submission and its checks.
        total_s: its seconds, from now on.
    """

    def __init__(self, rubric: Rubric, submitted: Submitted, total_s: float) -> None:
        limits = timeouts(rubric.questions, submitted.wanted)
        super().__init__(WholeBudget(total_s, limits), None, None)
        self._total_s = total_s
        self._used_s: dict[str, float] = {}
        self._running, self._started = "", 0.0

    def rank(self, question: Question, check: CheckSpec) -> tuple[float, ...]:
        """Leave the rubric's order."""
        del question, check
        return ()

    def run(
        self, question: Question, check: CheckSpec, run: Callable[[], CheckResult]
    ) -> CheckResult:
        """Run a check while there is time; one that starts no worker is always run."""
        if not check.functions:
            return run()
        self._running, self._started = check.id, time.monotonic()
        result = super().run(question, check, run)
        self._note()
        return result

    def _note(self) -> None:
        """Note how long the running check has taken so far."""
        self._used_s[self._running] = time.monotonic() - self._started

    def _too_little_time(self, check: CheckSpec) -> str:
        self._note()
        longest = sorted(self._used_s.items(), key=lambda used: -used[1])[:MAX_SHOWN]
        users = [(name, seconds) for name, seconds in longest if seconds >= LEAST_USED_S]
        named = ", ".join(f"{name} ({seconds:.1f} s)" for name, seconds in users)
        by = f"by {named}" if users else "before any check started"
        reached = "not finished" if self._used_s[check.id] >= LEAST_USED_S else "not reached"
        return (
            f"{reached}: the time for this submission, {self._total_s:g} s, was used up "
            f"{by}; grade it again with a larger --budget, or mark this check by hand"
        )
