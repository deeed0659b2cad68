"""``gradebook.csv``: one row per submission, one column per check."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.model import Rubric
from grader.readers.tables import cell
from grader.reports.files import write_text
from grader.reports.stored import check_ids

FIRST_COLUMNS = ("submission", "status", "score", "max_score")


def write(path: Path, rubric: Rubric, reports: Sequence[dict[str, Any]]) -> None:
    """Write the gradebook: a column for each check of the rubric, then those of older reports."""
    checks = [check.id for question in rubric.questions for check in question.checks]
    older = [name for name in check_ids(reports) if name not in checks]
    write_columns(path, [*checks, *older], reports)


def write_columns(path: Path, checks: Sequence[str], reports: Sequence[dict[str, Any]]) -> None:
    """Write the gradebook; a check that was not run, or a broken grade, leaves its cell empty."""
    text = io.StringIO()
    table = csv.writer(text)
    students = [made["submission"].get("student", {}).get("name", "") for made in reports]
    table.writerow([*FIRST_COLUMNS, *(["student"] if any(students) else []), *checks])
    for made in sorted(reports, key=lambda made: str(made["submission"]["id"])):
        points = {
            check["id"]: check["points"]
            for question in made["questions"]
            for check in question["checks"]
            if check["outcome"] not in ("pending", "broken")
        }
        score = "" if made["score"] is None else made["score"]
        identifier = cell(made["submission"]["id"])
        row = [identifier, made["status"], score, made["max_score"]]
        if any(students):
            row.append(cell(made["submission"].get("student", {}).get("name", "")))
        table.writerow([*row, *(points.get(check, "") for check in checks)])
    write_text(path, text.getvalue())
