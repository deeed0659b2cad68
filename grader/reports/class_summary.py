"""What a class's reports show together: the distribution, each check, what needs a person."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.readers.texts import counted, plain
from grader.reports.report import CheckReport, Report
from grader.reports.summaries import notes_of, zero_to_look_at

BINS = 10  # of the distribution, each of a tenth of the points
ROUNDING = 1e-9  # shares that differ by less are the same
LEAST_FOR_DISCRIMINATION = 5  # reports; fewer say nothing
MANY_WAIT = 3  # checks that one cause took all points of
UNDECIDED = ("pending", "broken")
NO_CAUSE = "no cause named"


@dataclass(frozen=True)
class CauseCount:
    """A cause, or what else is common to them, and the submissions that lost points by it."""

    text: str
    submissions: tuple[str, ...]


@dataclass(frozen=True)
class CheckSummary:
    """One check over all reports that decided about it.

    Attributes:
        id: its id.
        title: its title.
        max_points: what it is worth.
        decided: how many reports gave points for it, or none.
        full: how many gave all points.
        mean: the mean of the points.
        discrimination: the correlation of its points with the share of all others; None if there
            are too few reports, or all points are equal.
        causes: why points were lost, the most common first; a submission counts once for each.
        waiting: the submissions in which a person must decide.
    """

    id: str
    title: str
    max_points: float
    decided: int
    full: int
    mean: float
    discrimination: float | None
    causes: tuple[CauseCount, ...]
    waiting: tuple[str, ...]

    @property
    def full_percent(self) -> int | None:
        """The share of full marks; None if nothing is decided."""
        return round(100 * self.full / self.decided) if self.decided else None


@dataclass(frozen=True)
class ForAPerson:
    """Something in one submission that a person should look at, and the check it is about."""

    submission: str
    check: str
    text: str


@dataclass(frozen=True)
class Bin:
    """Reports whose share of the points is in a range of per cent."""

    least: int
    most: int
    count: int


class ClassSummary:
    """All figures of the class page.

    Args:
        reports: at least one; those of status ``broken`` have no score and count nowhere else.
        order: ids of checks in the rubric's order; others follow.
    """

    def __init__(self, reports: Sequence[Report], order: Sequence[str] = ()) -> None:
        self.reports = sorted(reports, key=lambda made: made.id)
        self._order = {check: number for number, check in enumerate(order)}

    @cached_property
    def graded(self) -> list[Report]:
        """The reports with a score."""
        return [made for made in self.reports if made.score is not None]

    @cached_property
    def same_maximum(self) -> float | None:
        """What all reports are scored out of; None if that differs."""
        most = {made.max_score for made in self.graded}
        return most.pop() if len(most) == 1 else None

    @cached_property
    def scores(self) -> list[float]:
        """The scores, or per cent of the points where reports are scored out of different ones."""
        if self.same_maximum is not None:
            return [made.score or 0.0 for made in self.graded]
        return [percent(made) for made in self.graded]

    @property
    def median(self) -> float | None:
        """The median of the scores."""
        return statistics.median(self.scores) if self.scores else None

    @property
    def mean(self) -> float | None:
        """The mean of the scores."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def bins(self) -> list[Bin]:
        """How many reports have which share of the points: 0 to 10 %, ..., 90 to 100 %."""
        counts = [0] * BINS
        for made in self.graded:
            counts[min(BINS - 1, int(percent(made) * BINS / 100 + 1e-9))] += 1
        width = 100 // BINS
        return [Bin(n * width, (n + 1) * width, count) for n, count in enumerate(counts)]

    @cached_property
    def questions(self) -> list[str]:
        """The ids of all questions, in the rubric's order."""
        first: dict[str, int] = {}
        for made in self.reports:
            for question in made.questions:
                place = min(map(self._place, question.checks), default=len(self._order))
                first[question.id] = min(place, first.get(question.id, place))
        return sorted(first, key=lambda question: (first[question], question))

    @cached_property
    def checks(self) -> list[CheckSummary]:
        """One summary for each check, in the rubric's order."""
        found: dict[str, list[tuple[Report, CheckReport]]] = {}
        for made in self.graded:
            for check in made.checks():
                found.setdefault(check.id, []).append((made, check))
        pairs = sorted(found.values(), key=lambda one: self._place(one[0][1]))
        return [_summary(one) for one in pairs]

    def _place(self, check: CheckReport) -> int:
        return self._order.get(check.id, len(self._order))

    @cached_property
    def for_a_person(self) -> list[ForAPerson]:
        """What a person should look at, submission by submission."""
        return [item for made in self.reports for item in _for_a_person(made)]

    @cached_property
    def notes(self) -> list[CauseCount]:
        """The notes of all checks and hand-ins, each with its submissions, the rarest first."""
        found: dict[str, dict[str, None]] = {}
        for made in self.reports:
            for note in (*made.submission.notes, *notes_of(made.checks())):
                found.setdefault(note, {})[made.id] = None
        counts = [CauseCount(text, tuple(ids)) for text, ids in found.items()]
        return sorted(counts, key=lambda one: (len(one.submissions), one.text))

    @cached_property
    def late(self) -> dict[str, str]:
        """How late submissions are and what that costs, by id; else what names of files tell."""
        return {made.id: text for made in self.reports if (text := late_words(made))}

    @cached_property
    def seconds(self) -> list[float]:
        """How long the checks of each graded report took."""
        return [seconds_of(made) for made in self.graded]


def late_words(made: Report) -> str:
    """Return in a few words how late a submission is and what that costs; empty if in time."""
    late, student = made.late, made.submission.student
    if late is None:
        return "late" if student is not None and student.late else ""
    days = f"{'at least ' if late.at_least else ''}{counted(late.days, 'day')} late"
    return f"{days}: -{plain(late.points)}" if late.points else days


def percent(made: Report) -> float:
    """Return the share of the points in per cent; extra credit may make it more than 100."""
    return 100 * (made.score or 0.0) / made.max_score if made.max_score else 0.0


def seconds_of(made: Report) -> float:
    """Return how long the checks of a report took."""
    return sum(check.duration_s for check in made.checks())


def is_decided(check: CheckReport) -> bool:
    """Say whether the points of a check are final."""
    return check.outcome not in UNDECIDED


def _summary(found: Sequence[tuple[Report, CheckReport]]) -> CheckSummary:
    check = found[0][1]
    decided = [(made, one) for made, one in found if is_decided(one)]
    points = [one.points for _made, one in decided]
    causes: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for made, one in decided:
        for identifier, text in causes_of(one):
            texts.setdefault(identifier, text)
            causes.setdefault(identifier, []).append(made.id)
    counts = [CauseCount(texts[key], tuple(ids)) for key, ids in causes.items()]
    counts.sort(key=lambda one: (-len(one.submissions), one.text))
    return CheckSummary(
        id=check.id,
        title=check.title,
        max_points=check.max_points,
        decided=len(decided),
        full=sum(one.points >= one.max_points for _made, one in decided),
        mean=statistics.fmean(points) if points else 0.0,
        discrimination=discrimination(decided),
        causes=tuple(counts),
        waiting=tuple(made.id for made, one in found if one.outcome == "pending"),
    )


def causes_of(check: CheckReport) -> list[tuple[str, str]]:
    """Return identifier and text of each cause that points were lost by, once.

    Without one, the way in which it failed stands for it.
    """
    if check.points >= check.max_points:
        return []
    causes = [check.cause, *(part.cause for part in check.parts)]
    found = {cause.id: cause.text for cause in causes if cause is not None}
    if found:
        return list(found.items())
    reason = (check.reason or "").replace("_", " ")
    text = f"{reason}: {NO_CAUSE}" if reason else NO_CAUSE
    return [(text, text)]


def discrimination(decided: Sequence[tuple[Report, CheckReport]]) -> float | None:
    """Return Pearson's correlation of a check's points with the share earned of all others.

    What waits for a person counts in neither: it is not zero points.

    Source: the corrected item-total correlation of classical test theory (Lord and Novick, 1968).
    """
    both = [
        (check.points, rest / most)
        for made, check in decided
        for rest, most in [_decided_but(made, check.id)]
        if most
    ]
    if len(both) < LEAST_FOR_DISCRIMINATION:
        return None
    if any(max(values) - min(values) < ROUNDING for values in zip(*both, strict=True)):
        return None  # one of them is constant
    try:
        found = statistics.correlation(*zip(*both, strict=True))
    except statistics.StatisticsError:  # one of them is constant
        return None
    return found if math.isfinite(found) else None


def _decided_but(made: Report, check: str) -> tuple[float, float]:
    """Return the points of a report's other checks that are decided, and the most they could be."""
    points = most = 0.0
    for question in made.questions:
        for one in question.checks:
            if one.outcome not in UNDECIDED and one.id != check:
                points += one.points
                most += one.max_points
    return points, most


def _for_a_person(made: Report) -> Iterator[ForAPerson]:
    if made.status == "broken":
        yield ForAPerson(made.id, "", "no grade, by the grader's fault")
        return
    if made.submission.contested:
        yield ForAPerson(made.id, "", made.submission.contested)
    why = zero_to_look_at(made)
    if why is not None:
        yield ForAPerson(made.id, "", f"look at this zero: {why}")
    else:
        yield from _one_cause(made)
    for check in made.checks():
        if check.outcome == "pending":
            yield ForAPerson(made.id, check.id, check.message or "a person decides")


def _one_cause(made: Report) -> Iterator[ForAPerson]:
    """Yield what took all points of several checks at once, such as a file that was not found."""
    lost: dict[str, list[CheckReport]] = {}
    for check in made.checks():
        if check.points == 0 and is_decided(check) and check.message:
            lost.setdefault(check.message, []).append(check)
    for message, checks in lost.items():
        points = sum(check.max_points for check in checks)
        if len(checks) >= MANY_WAIT:
            text = f"one cause took all {points:g} points of {counted(len(checks), 'check')}"
            yield ForAPerson(made.id, checks[0].id, f"{text}: {message}")


def by_submission(items: Iterable[ForAPerson]) -> dict[str, list[ForAPerson]]:
    """Return the items of each submission."""
    found: dict[str, list[ForAPerson]] = {}
    for item in items:
        found.setdefault(item.submission, []).append(item)
    return found
