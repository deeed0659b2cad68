"""What changed between two runs: per student, which points, outcomes and marks differ.

Only what makes up a grade is compared, not times, seeds and wording: a message may change without a
change of any grade.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from grader import scoring
from grader.intake import canvas
from grader.readers.texts import plain
from grader.reports.class_summary import late_words
from grader.reports.report import CheckReport, Report
from grader.reports.submitters import submitters

ChangeKind = Literal["changed", "new", "removed", "same"]
SAME_POINTS = 10.0 ** -(scoring.POINT_DIGITS + 1)
COLUMNS = (
    "submission", "kind", "score_before", "score_after", "score_change", "max_score_before",
    "max_score_after", "status_before", "status_after", "check", "check_kind", "points_before",
    "points_after", "max_points_before", "max_points_after", "outcome_before", "outcome_after",
    "reason_before", "reason_after", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class CheckSide:
    """One check in one of the runs."""

    points: float
    max_points: float
    outcome: str
    reason: str | None
    extra_credit: bool
    marked_by: str | None  # None: no person has marked it


@dataclass(frozen=True)
class CheckChange:
    """A check that differs between the runs; a side is None where the check is missing."""

    check: str
    title: str
    kind: ChangeKind
    before: CheckSide | None
    after: CheckSide | None

    @property
    def mark_missing(self) -> bool:
        """Whether a person's mark is only in the old run."""
        marked = [side is not None and side.marked_by is not None for side in self.sides]
        return marked == [True, False]

    @property
    def sides(self) -> tuple[CheckSide | None, CheckSide | None]:
        """The check before and after."""
        return (self.before, self.after)


@dataclass(frozen=True)
class Side:
    """A submission's grade in one run; ``score`` is None if the report is broken."""

    score: float | None
    max_score: float
    status: str
    sha256: str | None
    assignment: str
    tier: str
    late: str = ""


@dataclass(frozen=True)
class Change:
    """What changed for one submission; a side is None where there is no report.

    ``submission_before`` is what it was called in the old run, if the student handed in again.
    """

    submission: str
    kind: ChangeKind
    before: Side | None
    after: Side | None
    checks: tuple[CheckChange, ...]
    submission_before: str | None = None

    @property
    def delta(self) -> float | None:
        """The change of the score; None where one of the runs has no grade."""
        old, new = (side.score if side is not None else None for side in (self.before, self.after))
        return None if old is None or new is None else round(new - old, scoring.POINT_DIGITS)

    @property
    def notes(self) -> tuple[str, ...]:
        """What changed apart from the checks, in words."""
        old, new = self.before, self.after
        if old is None or new is None:
            return ("only in NEW",) if old is None else ("only in OLD",)
        again = self.submission_before
        said = [f"handed in again: {again} in OLD"] if again is not None else []
        said += [f"status: {old.status} -> {new.status}"] if old.status != new.status else []
        if old.sha256 != new.sha256:
            said.append("different submission (sha256)")
        if old.max_score != new.max_score:
            said.append(f"max_score: {plain(old.max_score)} -> {plain(new.max_score)}")
        if old.tier != new.tier:
            said.append(f"tier: {old.tier} -> {new.tier}")
        if old.late != new.late:
            said.append(f"late: {old.late or 'no'} -> {new.late or 'no'}")
        if old.assignment != new.assignment:
            said.append(f"assignment: {old.assignment} -> {new.assignment}")
        missing = [change.check for change in self.checks if change.mark_missing]
        if missing:
            said.append(f"marks missing in NEW: {', '.join(missing)}")
        return tuple(said)

    @property
    def rank(self) -> tuple[int, float, str]:
        """The order in which changes are listed: lost grades, losses by size, then the others."""
        if self.kind == "new":
            return (3, 0.0, self.submission)
        if self.delta is None:
            lost = self.before is not None and self.before.score is not None
            return (0 if lost else 2, 0.0, self.submission)
        return (1, self.delta, self.submission)


@dataclass(frozen=True)
class Summary:
    """The change in figures; mean and extremes are over submissions with a grade in both runs."""

    compared: int
    changed: int
    lost: int
    gained: int
    new: int
    removed: int
    largest_loss: float
    largest_gain: float
    mean_change: float
    marks_missing: int


def compare(old: Mapping[str, Report], new: Mapping[str, Report]) -> list[Change]:
    """Return one change per submission of either run, the largest loss first.

    This includes submissions whose grade did not change, as ``same``. What a student handed in
    again, under another name, is compared with the same student's earlier submission.
    """
    again = _handed_in_again(old, new)
    names = {*old, *new} - {*again.values()}
    changes = [
        _change(name, old.get(again.get(name, name)), new.get(name), again.get(name))
        for name in names
    ]
    return sorted(changes, key=lambda change: change.rank)


def _handed_in_again(old: Mapping[str, Report], new: Mapping[str, Report]) -> dict[str, str]:
    """Return the old names of submissions by the new ones, where both are of one student.

    A student with several submissions in one of the runs is left out: nobody knows which is which.
    """
    sides = []
    for reports, others in ((old, new), (new, old)):
        by_student: dict[Hashable, list[str]] = {}
        for name in reports:
            student = _student(name, reports[name])
            if name not in others and student is not None:
                by_student.setdefault(student, []).append(name)
        sides.append({who: names[0] for who, names in by_student.items() if len(names) == 1})
    before, after = sides
    return {after[who]: name for who, name in before.items() if who in after}


def _student(name: str, made: Report) -> Hashable:
    """Return what tells a student, or a group, from others in every run; None if nothing does."""
    student = made.submission.student
    people = submitters(name, student)
    if people:
        return frozenset((person.email or person.sid).casefold() for person in people)
    if student is not None and student.id:
        return ("number", student.id)
    # A name of Canvas in doubt: all its readings together are nobody else's.
    owners = frozenset(way.owner for way in canvas.readings(name, stem=True))
    return owners or None


def _change(name: str, old: Report | None, new: Report | None, again: str | None) -> Change:
    before, after = _grade(old), _grade(new)
    if before is None or after is None or old is None or new is None:
        return Change(name, "new" if before is None else "removed", before, after, ())
    checks = tuple(_checks(old.by_id(), new.by_id()))
    same = before == after and not checks
    return Change(name, "same" if same else "changed", before, after, checks, again)


def _grade(made: Report | None) -> Side | None:
    if made is None:
        return None
    digest = made.submission.sha256
    late = late_words(made) if made.late is not None else ""
    return Side(made.score, made.max_score, made.status, digest, made.assignment, made.tier, late)


def _checks(
    old: Mapping[str, CheckReport], new: Mapping[str, CheckReport]
) -> Iterable[CheckChange]:
    for check in [*new, *(name for name in old if name not in new)]:
        before, after = _side(old.get(check)), _side(new.get(check))
        title = (new.get(check) or old[check]).title
        if before is None or after is None:
            yield CheckChange(check, title, "new" if before is None else "removed", before, after)
        elif not _same(before, after):
            yield CheckChange(check, title, "changed", before, after)


def _side(check: CheckReport | None) -> CheckSide | None:
    if check is None:
        return None
    return CheckSide(
        check.points,
        check.max_points,
        check.outcome,
        check.reason,
        check.extra_credit,
        marked_by=None if check.marked is None else check.marked.by,
    )


def _same(before: CheckSide, after: CheckSide) -> bool:
    """Whether two sides are the same, except for the rounding of binary fractions."""
    close = all(
        abs(one - two) < SAME_POINTS
        for one, two in ((before.points, after.points), (before.max_points, after.max_points))
    )
    rest = ("outcome", "reason", "extra_credit", "marked_by")
    return close and all(getattr(before, name) == getattr(after, name) for name in rest)


def summary(changes: Iterable[Change]) -> Summary:
    """Return the changes in figures."""
    changes = list(changes)
    deltas = [change.delta for change in changes if change.delta is not None]
    return Summary(
        compared=len(deltas),
        changed=sum(change.kind != "same" for change in changes),
        lost=sum(delta < 0 for delta in deltas),
        gained=sum(delta > 0 for delta in deltas),
        new=sum(change.kind == "new" for change in changes),
        removed=sum(change.kind == "removed" for change in changes),
        largest_loss=-min(deltas, default=0.0) if min(deltas, default=0.0) < 0 else 0.0,
        largest_gain=max(*deltas, 0.0) if deltas else 0.0,
        mean_change=round(sum(deltas) / len(deltas), scoring.POINT_DIGITS) if deltas else 0.0,
        marks_missing=sum(check.mark_missing for change in changes for check in change.checks),
    )


def as_json(changes: Iterable[Change], figures: Summary) -> dict[str, Any]:
    """Return the changes as JSON values."""
    listed = [
        {**asdict(change), "delta": change.delta, "notes": list(change.notes)} for change in changes
    ]
    return {"summary": asdict(figures), "submissions": listed}


def as_rows(changes: Iterable[Change]) -> list[list[str]]:
    """Return the changes as a table of text: a row per changed check, or one for a submission."""
    rows = [list(COLUMNS)]
    for change in changes:
        grades = [_of(side, "score") for side in (change.before, change.after)]
        most = [_of(side, "max_score") for side in (change.before, change.after)]
        status = [_of(side, "status") for side in (change.before, change.after)]
        delta = "" if change.delta is None else plain(change.delta)
        head = [change.submission, change.kind, *grades, delta, *most, *status]
        notes = "; ".join(change.notes)
        for check in change.checks:
            pairs = [
                _of(side, name)
                for name in ("points", "max_points", "outcome", "reason")
                for side in check.sides
            ]
            rows.append([*head, check.check, check.kind, *pairs, notes])
        if not change.checks:
            rows.append([*head, *[""] * (len(COLUMNS) - len(head) - 1), notes])
    return rows


def _of(side: Side | CheckSide | None, name: str) -> str:
    value = None if side is None else getattr(side, name)
    if value is None:
        return ""
    return plain(value) if isinstance(value, int | float) else str(value)
