"""Runs the checks of one submission within the time and the memory of a container.

If time or memory is too short for a check, it is ``pending``: it earns no points yet, the message
says why, and it never counts as the student's failure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from grader.errors import Pending
from grader.frontends.gradescope import memory
from grader.frontends.gradescope.budget import LEAST_TRY_S, TimeBudget
from grader.isolation.sandbox import Limits
from grader.model import CheckResult, CheckSpec, Question
from grader.reports.report import Report

MEMORY_REASONS = frozenset({"memory", "crashed"})  # the kernel ends what takes the last memory


class TimeAndMemory:
    """Steers a grading run (``grader.job.Steering``).

    Args:
        budget: the time there is.
        memory_mb: what the container may use in MiB; None if unknown.
        frugal: whether only one fork server runs at a time; then questions with the same libraries
            are graded one after the other.
        sink: takes the report so far and the ids of the checks that were not run, if anybody
            wants them.
    """

    def __init__(
        self,
        budget: TimeBudget,
        memory_mb: int | None,
        sink: Callable[[Report, tuple[str, ...]], None] | None,
        *,
        frugal: bool = False,
    ) -> None:
        self._budget = budget
        self._memory_mb = memory_mb
        self._sink = sink
        self._frugal = frugal
        self._not_reached: list[str] = []
        # The resources of which the running check's worker got less than its limit; None before it
        # has started. A session keeps the failure of an import for later checks.
        self._short_of: set[str] | None = None
        self._refused = ""  # why the running check got no worker
        self._short_of_time = False  # of any worker of the running check
        self._short_import: dict[str, set[str]] = {}

    def rank(self, question: Question, check: CheckSpec) -> tuple[float, ...]:
        """Cheap checks first: those without torch, then those with the shortest time limit."""
        libraries = len(question.preload) if self._frugal else 0
        return ("torch" in question.preload, libraries, check.timeout_s)

    def run(
        self, question: Question, check: CheckSpec, run: Callable[[], CheckResult]
    ) -> CheckResult:
        """Run a check if there is time and memory for it."""
        question = question.of(check)
        self._short_of, self._refused = None, ""
        self._short_of_time = False
        lack = self._too_little_time(check) if self._too_late(check) else ""
        result = None if lack else run()
        # Whatever ran last may have been cut short, without being the reason in the result.
        cut = self._short_of_time and self._too_late(check)
        self._budget.done(check.id)
        if result is not None:
            reasons = {result.reason, *(part.reason for part in result.parts)}
            short_of = self._short_of
            if short_of is None:
                short_of = self._short_import.get(question.module, set())
            if self._refused:
                lack = self._refused
            elif ("time" in short_of and "timeout" in reasons) or (cut and _lost_something(result)):
                lack = self._too_little_time(check)
            elif "memory" in short_of and reasons & MEMORY_REASONS:
                lack = self._too_little_memory(question, check)
            if lack:
                self._short_import[question.module] = set(short_of)
        if not lack:
            assert result is not None  # noqa: S101 - for the type checker
            return result
        self._not_reached.append(check.id)
        open_result = result or CheckResult(check, "pending", 0.0)
        return dataclasses.replace(
            open_result,
            outcome="pending",
            points=0.0,
            reason=None,
            message=lack,
            cause=None,
            hint="",
            parts=(),
            figures=(),
            unreached=True,
        )

    def limits(self, question: Question, check: CheckSpec, limits: Limits) -> Limits:
        """Give a worker no more than its share of the time, and than the memory there is.

        Raises:
            Pending: there is not even enough memory for the libraries.
        """
        if self._memory_mb is not None and self._memory_mb < memory.needed_mb(question):
            self._refused = self._too_little_memory(question, check)
            raise Pending(self._refused, "", "")
        short_of = self._short_of = set()
        time_s = max(0.1, self._budget.share_s(check.id))
        if time_s < limits.timeout_s:
            short_of.add("time")
            self._short_of_time = True
        memory_mb = limits.memory_mb
        if self._memory_mb is not None:
            there = max(1, self._memory_mb - memory.ours_mb(question))
            if there < memory_mb:
                short_of.add("memory")
                memory_mb = there
        return dataclasses.replace(
            limits, timeout_s=min(time_s, limits.timeout_s), memory_mb=memory_mb
        )

    def progress(self, made: Callable[[], Report]) -> None:
        """Pass on the results so far."""
        if self._sink is not None:
            self._sink(made(), tuple(self._not_reached))

    def _too_late(self, check: CheckSpec) -> bool:
        return self._budget.share_s(check.id) < min(LEAST_TRY_S, check.timeout_s)

    def _too_little_time(self, check: CheckSpec) -> str:
        return (
            f"Not run: this check may take {check.timeout_s:g} s, but too little was left of the "
            f"{self._budget.total_s:g} s for the whole submission. It has no points yet, and the "
            "grade is not final; your instructor can run the grader again with more time."
        )

    def _too_little_memory(self, question: Question, check: CheckSpec) -> str:
        wanted = max(memory.needed_mb(question), memory.ours_mb(question) + check.memory_mb)
        return (
            f"Not run: this check needs a container with more memory ({wanted} MB is enough; this "
            f"one has {self._memory_mb} MB). It has no points yet, and the grade is not final; "
            "your instructor can run the grader again with more memory."
        )


def _lost_something(result: CheckResult) -> bool:
    return result.outcome not in ("passed", "pending", "broken")


def timeouts(questions: Iterable[Question], wanted: frozenset[str]) -> dict[str, float]:
    """Return the time limits of the wanted checks, by id."""
    return {
        check.id: check.timeout_s
        for question in questions
        for check in question.checks
        if check.id in wanted
    }
