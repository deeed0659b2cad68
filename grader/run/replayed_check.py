"""What a check shows that was run again: its cases, and whether a report says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.checks.watched import Compared
from grader.errors import UsageError
from grader.model import CheckResult, Question
from grader.reports import building
from grader.reports.report import CheckReport, MachineReport


@dataclass(frozen=True)
class ReplayedCase:
    """A case as it went this time: its number, and what was compared, each value once."""

    number: int
    values: tuple[Compared, ...]

    @property
    def name(self) -> str:
        """What the case is called."""
        return self.values[0].case.name

    @property
    def wrong(self) -> tuple[Compared, ...]:
        """The values that are wrong."""
        return tuple(value for value in self.values if not value.comparison.ok)


@dataclass(frozen=True)
class Replayed:
    """A check that was run again, and what the report says of it.

    Attributes:
        question: of the check, with the check's module.
        result: of this run.
        compared: every value that was compared, in order.
        reported: what the report says.
    """

    question: Question
    result: CheckResult
    compared: Sequence[Compared]
    reported: CheckReport

    @cached_property
    def again(self) -> CheckReport:
        """The result as a report would have it."""
        return building.of_result(self.result)

    @property
    def is_the_same(self) -> bool:
        """Whether this run found what the report says, to the last digit of its messages."""
        return _found(self.again) == _found(self.reported)

    @cached_property
    def cases(self) -> tuple[ReplayedCase, ...]:
        """All cases, in the order of their first values.

        A check may be run more than once, with right functions in the place of others. Of several
        comparisons of a value the one counts that the message quotes, or else the last one of the
        run that the message is about.
        """
        messages = _messages(self.again)
        quoted = [one for one in self.compared if any(one.said in text for text in messages)]
        wrong = [one for one in quoted if not one.comparison.ok]
        answered = bool(wrong) and all(one.answered for one in wrong)
        found: dict[str, dict[str, Compared]] = {}
        for one in [*(c for c in self.compared if c.answered is answered), *wrong]:
            found.setdefault(one.case.name, {})[one.comparison.name] = one
        return tuple(
            ReplayedCase(number, tuple(values.values()))
            for number, values in enumerate(found.values(), 1)
        )

    def chosen(self, number: int | None) -> tuple[ReplayedCase, Compared] | None:
        """Return a case and its value that is shown: a wrong one if there is any.

        Args:
            number: of the case; None for the one that the report's message quotes, or else the
                first wrong one.

        Returns:
            None if nothing was compared, or everything is right and no case was named.

        Raises:
            UsageError: there is no case with this number.
        """
        if number is not None:
            if not 1 <= number <= len(self.cases):
                raise UsageError(f"--case {number}: {self.reported.id} has {self._count()}")
            case = self.cases[number - 1]
            return case, (case.wrong or case.values)[0]
        messages = _messages(self.again)
        both = [(case, value) for case in self.cases for value in case.wrong]
        first = [one for one in both if any(one[1].said in text for text in messages)]
        return next(iter(first or both), None)

    def _count(self) -> str:
        count = len(self.cases)
        if count == 0:
            return f"no cases that could be shown: it is of kind {self.reported.kind}"
        return f"the cases 1 to {count}" if count > 1 else "one case"


def _found(check: CheckReport) -> tuple[object, ...]:
    """Return what must be the same in both runs: how the check ended, and all of its words."""
    if check.outcome == "broken":
        return "broken", check.message
    machine: MachineReport = check.machine
    # Where a person has marked a check, its parts are as the grader left them.
    parts = [(part.name, part.points, part.reason, part.message) for part in check.parts]
    return machine.outcome, machine.points, machine.reason, machine.message, parts


def _messages(check: CheckReport) -> list[str]:
    return [check.message, *(part.message for part in check.parts)]
