"""What all formats share: the grades to export, and how a format is asked for its file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grader.deliver.exports import roster
from grader.deliver.exports.roster import Matching, Roster
from grader.readers import tables
from grader.readers.tables import Sheet, cell
from grader.readers.texts import clipped, plain, quoted
from grader.reports.report import Report, StudentReport
from grader.reports.results import student_text
from grader.reports.stored import Stored
from grader.reports.summaries import alike

MAX_FEEDBACK = 20_000  # characters; what does not fit is in report.html


@dataclass(frozen=True)
class Grade:
    """One submission's grade: ``score`` is None if it is withheld, and ``why`` says why then."""

    submission: str
    score: float | None
    max_score: float
    why: str
    report: Report

    @property
    def text(self) -> str:
        """The score as importers read it, or nothing."""
        return "" if self.score is None else plain(self.score)

    @property
    def student(self) -> StudentReport:
        """Who handed it in, as far as its report says."""
        return self.report.submission.student or StudentReport()


@dataclass
class Export:
    """The file's content, and what the instructor must know.

    Attributes:
        data: the file.
        notes: what was done and what the platform will do with it.
        left_out: grades that are not in the file, a line each.
    """

    data: bytes
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """What to export: the grades by submission, their students by roster row, and names."""

    grades: Mapping[str, Grade]
    roster: Roster | None
    rows: Mapping[int, str]  # row of the roster -> submission
    assignment: str | None  # as given on the command line
    title: str  # of the assignment in the reports
    out: Path

    def grade_of(self, row: int) -> Grade | None:
        """Return the grade for a row of the roster, if a submission matches it."""
        return self.grades[self.rows[row]] if row in self.rows else None

    @property
    def max_score(self) -> float:
        """The points of the assignment: the most that any report counts."""
        return self.max_scores[-1]

    @property
    def max_scores(self) -> list[float]:
        """The different numbers of points that reports are out of, the largest last.

        A broken report counts all checks of the rubric, whichever were to be run: it is left out
        where there are others.
        """
        every = self.grades.values()
        settled = [grade for grade in every if grade.report.status != "broken"]
        return sorted({grade.max_score for grade in settled or every})


class Format(Protocol):
    """A platform's format."""

    name: str

    def roster(self, table: Sheet) -> Roster:
        """Return the students of a table that the platform wrote.

        Raises:
            UsageError: a column that is needed is missing.
        """

    def export(self, order: Order) -> Export:
        """Return the file to import.

        Raises:
            UsageError: the roster and the order do not fit.
        """


def grades(reports: Mapping[str, Stored], *, allow_pending: bool) -> dict[str, Grade]:
    """Return the grade of every report; a broken or pending one is withheld, never zero."""
    return {name: _grade(stored, allow_pending=allow_pending) for name, stored in reports.items()}


def _grade(stored: Stored, *, allow_pending: bool) -> Grade:
    report = stored.report
    score, why = report.score, ""
    if report.status == "broken":
        score, why = None, "its report is broken (the grader failed); grade it again"
    elif report.status == "pending" and not allow_pending:
        waiting = [check.id for check in report.checks() if check.outcome == "pending"]
        score, why = None, f"a person must still mark {', '.join(waiting)} (grader mark)"
    return Grade(stored.id, score, report.max_score, why, report)


def matching(listed: Roster, grades: Mapping[str, Grade], contested: Collection[str]) -> Matching:
    """Return which submission belongs to each student of a roster."""
    students = {name: grade.student for name, grade in grades.items()}
    groups = {name: grade.report.submission.group for name, grade in grades.items()}
    known = {name: group for name, group in groups.items() if group is not None}
    return roster.match(listed, grades, students, contested, known)


def feedback(grade: Grade, title: str) -> str:
    """Return what a student may read of a report: the points, and why any were lost.

    Hidden checks are not named; Gradescope does not show them either.
    """
    if grade.score is None:
        return ""
    blocks = [f"{title}: {grade.text} of {plain(grade.max_score)} points"]
    if grade.report.status == "pending":
        blocks[0] += " so far; a person must still mark some parts"
    if grade.report.late is not None:
        shown = all(check.visibility == "visible" for check in grade.report.checks())
        blocks.append(grade.report.late.text(told=shown))
    earlier = alike(grade.report.checks())
    for check in grade.report.checks():
        text = student_text(check, earlier.get(check.id))
        settled = check.outcome == "passed" and check.marked is None
        if settled or check.visibility == "hidden":
            continue
        points = f"{plain(check.points)} of {plain(check.max_points)}"
        blocks.append("\n".join([f"{check.id} {check.title}: {points}", *text.splitlines()]))
    whole = "\n\n".join(blocks)
    return clipped(whole, MAX_FEEDBACK)


def harmless(text: str) -> str:
    """Return a cell of a roster so that no spreadsheet runs it; signs and numbers stay."""
    bare = text.strip() in ("-", "+", "") or tables.number(text) is not None
    return text if bare else cell(text)


def left_out(order: Order) -> list[str]:
    """Return a line for each grade of a matched submission that is withheld."""
    matched = set(order.rows.values()) if order.roster is not None else set(order.grades)
    return [
        f"{name}: no grade is exported: {grade.why}"
        for name, grade in order.grades.items()
        if name in matched and grade.score is None
    ]


def kept(there: str, what: str, row: int, roster: Roster) -> str:
    """Return the line about a cell of the platform that is kept as it is."""
    student = roster.students[row]
    return f"{roster.table.name}:{student.line}: {student.shown}: {what} {quoted(there)} is kept"


def lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows as a CSV file in UTF-8, as all three platforms read it."""
    return tables.as_csv(rows).encode()
