"""``gradebook.csv``: one row per submission, one column per check."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from grader.readers.tables import cell
from grader.readers.texts import hundredths
from grader.reports.files import write_text
from grader.reports.report import Report
from grader.reports.stored import check_ids

FIRST_COLUMNS = ("submission", "status", "score", "max_score")


def write(path: Path, checks: Sequence[str], reports: Sequence[Report]) -> None:
    """Write the gradebook: a column for each of these checks, then those of older reports."""
    older = [name for name in check_ids(reports) if name not in checks]
    write_columns(path, [*checks, *older], reports)


def write_columns(path: Path, checks: Sequence[str], reports: Sequence[Report]) -> None:
    """Write the gradebook; a check that was not run, or a broken grade, leaves its cell empty."""
    text = io.StringIO()
    table = csv.writer(text)
    named = any(made.student for made in reports)
    table.writerow([*FIRST_COLUMNS, *(["student"] if named else []), *checks])
    for made in sorted(reports, key=lambda made: made.id):
        points = {
            check.id: hundredths(check.points)
            for check in made.checks()
            if check.outcome not in ("pending", "broken")
        }
        score = "" if made.score is None else hundredths(made.score)
        row = [cell(made.id), made.status, score, hundredths(made.max_score)]
        if named:
            row.append(cell(made.student))
        table.writerow([*row, *(points.get(check, "") for check in checks)])
    write_text(path, text.getvalue())
