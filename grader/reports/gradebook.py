"""``gradebook.csv``: one row per student, one column per check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.readers import tables
from grader.readers.tables import as_csv, cell
from grader.readers.texts import hundredths
from grader.reports.files import write_text
from grader.reports.report import Report
from grader.reports.stored import check_ids
from grader.reports.submitters import Submitter, people_of

FIRST_COLUMNS = ("submission", "status", "score", "max_score")
# Each is there if any submission has something to put into it.
FURTHER_COLUMNS = ("student", "group", "late_days", "late_points")


def write(path: Path, checks: Sequence[str], reports: Sequence[Report]) -> None:
    """Write the gradebook: a column for each of these checks, then those of older reports."""
    older = [name for name in check_ids(reports) if name not in checks]
    write_columns(path, [*checks, *older], reports)


def write_columns(path: Path, checks: Sequence[str], reports: Sequence[Report]) -> None:
    """Write the gradebook; a check that was not run, or a broken grade, leaves its cell empty.

    The hand-in of a group has a row for each member. A byte-order mark tells spreadsheets that the
    file is UTF-8.
    """
    people = {made.id: people_of(made.submission) for made in reports}
    further = [_further(made, one) for made in reports for one in people[made.id]]
    named = [name for name in FURTHER_COLUMNS if any(cells[name] for cells in further)]
    rows: list[list[str]] = [[*FIRST_COLUMNS, *named, *checks]]
    for made in sorted(reports, key=lambda made: made.id):
        points = {
            check.id: str(hundredths(check.points))
            for check in made.checks()
            if check.outcome not in ("pending", "broken")
        }
        score = "" if made.score is None else str(hundredths(made.score))
        first = [cell(made.id), made.status, score, str(hundredths(made.max_score))]
        last = [points.get(check, "") for check in checks]
        for one in people[made.id]:
            cells = _further(made, one)
            rows.append([*first, *(cells[name] for name in named), *last])
    write_text(path, as_csv(rows, mark=True))


def columns_of(path: Path) -> list[str]:
    """Return the checks that a gradebook has columns for; none if there is no such file.

    Raises:
        UsageError: it cannot be read.
    """
    if not path.is_file():
        return []
    first = {*FIRST_COLUMNS, *FURTHER_COLUMNS}
    return [column for column in tables.read(path).columns if column not in first]


def _further(made: Report, one: Submitter) -> Mapping[str, str]:
    group, late = made.submission.group, made.late
    cost = "" if late is None or late.points is None else str(hundredths(late.points))
    return {
        "student": cell(one.name or (one.shown if group is not None else "")),
        "group": "" if group is None else cell(group.name),
        "late_days": "" if late is None else str(late.days),
        "late_points": cost,
    }
