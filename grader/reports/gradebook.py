"""``gradebook.csv``: one row per submission, one column per check."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.model import Rubric
from grader.reports.files import write_text

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, rubric: Rubric, reports: Sequence[dict[str, Any]]) -> None:
    """Write the gradebook; a check that was not run, or a broken grade, leaves its cell empty."""
    checks = [check.id for question in rubric.questions for check in question.checks]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["submission", "status", "score", "max_score", *checks])
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
        table.writerow([*row, *(points.get(check, "") for check in checks)])
    write_text(path, text.getvalue())


def cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
