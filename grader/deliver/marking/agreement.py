"""Two markers' files side by side: how far they agree, and what they must settle."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.deliver.marking.marks import TEMPLATE, Mark, row_of
from grader.readers import tables
from grader.readers.tables import cell
from grader.readers.texts import plain
from grader.reports.stored import Stored

LEAST_FOR_KAPPA = 2  # answers; one alone has no spread


@dataclass(frozen=True)
class MarkPair:
    """The marks of two people for the same answer."""

    first: Mark
    second: Mark

    @property
    def agrees(self) -> bool:
        """Whether both gave the same points."""
        return self.first.points == self.second.points

    @property
    def difference(self) -> float:
        """How many more points the second gave."""
        return self.second.points - self.first.points


@dataclass(frozen=True)
class CheckAgreement:
    """How far two people agree about one check.

    Attributes:
        check: its id.
        both: how many answers both marked.
        same: to how many of these they gave the same points.
        mean_difference: how many more points the second gave on average.
        largest: the largest difference, without its sign.
        kappa: Cohen's kappa with quadratic weights; None if it is not defined.
    """

    check: str
    both: int
    same: int
    mean_difference: float
    largest: float
    kappa: float | None


@dataclass(frozen=True)
class ComparedMarks:
    """The answers that both marked, and the marks that only one of them gave."""

    pairs: Sequence[MarkPair]
    only_first: Sequence[Mark]
    only_second: Sequence[Mark]

    @property
    def to_settle(self) -> list[MarkPair]:
        """The answers with different points, the largest difference first."""
        found = [pair for pair in self.pairs if not pair.agrees]
        return sorted(found, key=lambda pair: -abs(pair.difference))

    @property
    def checks(self) -> list[CheckAgreement]:
        """One line for each check that both marked answers to."""
        found: dict[str, list[MarkPair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.first.check, []).append(pair)
        return [_agreement(check, pairs) for check, pairs in found.items()]


def compare(first: Iterable[Mark], second: Iterable[Mark]) -> ComparedMarks:
    """Return two people's marks side by side; anonymous names must be resolved before."""
    mine = {(mark.submission, mark.check): mark for mark in first}
    theirs = {(mark.submission, mark.check): mark for mark in second}
    return ComparedMarks(
        [MarkPair(mark, theirs[key]) for key, mark in mine.items() if key in theirs],
        [mark for key, mark in mine.items() if key not in theirs],
        [mark for key, mark in theirs.items() if key not in mine],
    )


def _agreement(check: str, pairs: Sequence[MarkPair]) -> CheckAgreement:
    return CheckAgreement(
        check=check,
        both=len(pairs),
        same=sum(pair.agrees for pair in pairs),
        mean_difference=statistics.fmean(pair.difference for pair in pairs),
        largest=max(abs(pair.difference) for pair in pairs),
        kappa=weighted_kappa([(pair.first.points, pair.second.points) for pair in pairs]),
    )


def weighted_kappa(points: Sequence[tuple[float, float]]) -> float | None:
    """Return Cohen's kappa with quadratic weights; None if nothing differs in any of the marks.

    One minus the mean squared difference of the pairs over that of all marks of one person with all
    of the other. Source: Cohen, "Weighted kappa", Psychological Bulletin 70 (1968), 213-220.
    """
    if len(points) < LEAST_FOR_KAPPA:
        return None
    by_chance = statistics.fmean((a - b) ** 2 for a, _ in points for _, b in points)
    if by_chance == 0:
        return None
    return 1 - statistics.fmean((a - b) ** 2 for a, b in points) / by_chance


def settled(found: ComparedMarks, stored: Mapping[str, Stored]) -> str:
    """Return a file of marks with what both agree on, and what only one of them marked.

    What they differ about has no points, and both opinions in its comment: ``grader mark`` keeps
    such a row for later.

    Args:
        found: marks that fit the reports.
        stored: the reports by the submission's id.
    """
    alone = [*found.only_first, *found.only_second]
    marks = [*(_agreed(pair) for pair in found.pairs if pair.agrees), *alone]
    rows = [_row(mark, plain(mark.points), stored) for mark in marks]
    rows += [
        _row(replace(pair.first, comment=_both(pair), by=""), "", stored)
        for pair in found.to_settle
    ]
    rows.sort(key=lambda row: (bool(row[TEMPLATE.index("points")]), row[1], row[0]))
    return tables.as_csv([list(TEMPLATE), *rows], mark=True)


def _agreed(pair: MarkPair) -> Mark:
    comments = dict.fromkeys(one.comment for one in (pair.first, pair.second) if one.comment)
    people = dict.fromkeys(one.by for one in (pair.first, pair.second) if one.by)
    return replace(pair.first, comment="\n".join(comments), by=", ".join(people))


def _both(pair: MarkPair) -> str:
    return "\n".join(
        f"{one.by or one.file}: {plain(one.points)}{f': {one.comment}' if one.comment else ''}"
        for one in (pair.first, pair.second)
    )


def _row(mark: Mark, points: str, stored: Mapping[str, Stored]) -> list[str]:
    report = stored[mark.submission].report
    given = {"points": points, "comment": cell(mark.comment), "marker": cell(mark.by)}
    row = row_of(report, report.by_id()[mark.check]) | given
    return [row[name] for name in TEMPLATE]
