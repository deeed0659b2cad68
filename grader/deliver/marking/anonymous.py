"""Names of submissions that tell a marker nothing, and the way back from them.

An anonymous name is made of the submission's id and the digest of its files. Whoever has the
reports can compute it; whoever has a list of the class alone cannot. What is handed in again gets
another one, so a mark for the earlier version fits nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.deliver.marking.marks import Mark
from grader.reports.report import CheckReport, Report
from grader.reports.stored import Stored

PREFIX = "anonymous-"
DIGITS = 12  # of a digest: a class has no two that are equal
LEFT_OUT = "[name left out]"
LEAST_LETTERS = 4  # of a name or a number that is looked for in texts: "Li" is in many words
KEPT = frozenset(("id", "kind", "outcome", "reason", "visibility", "mathml", "file"))


def name(made: Report) -> str:
    """Return the anonymous name of a submission."""
    text = f"{made.id}\0{made.submission.sha256 or ''}"
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def resolved(marks: Iterable[Mark], stored: Mapping[str, Stored]) -> list[Mark]:
    """Return marks with the ids of submissions in place of anonymous names.

    A name that fits no report stays, and is a problem of the mark like any wrong name.
    """
    marks = list(marks)
    if not any(mark.submission.startswith(PREFIX) for mark in marks):
        return marks
    known = {name(one.report): identifier for identifier, one in stored.items()}
    return [replace(mark, submission=known.get(mark.submission, mark.submission)) for mark in marks]


def without_names(check: CheckReport, made: Report) -> CheckReport:
    """Return a check whose texts do not hold the submission's id, or the student's name or number.

    Parts of names, and what is in pictures and files, stay.
    """
    patterns = [re.escape(text) for text in _names(made)]
    if not patterns:
        return check
    either = "|".join(sorted(patterns, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)
    return CheckReport.model_validate(_cleared(check.model_dump(), found))


def _names(made: Report) -> list[str]:
    student = made.submission.student
    full = ((student.name or "") if student is not None else "").split()
    names = [made.id, " ".join(full), " ".join(full[::-1]), ", ".join(full[::-1]), "".join(full)]
    if student is not None:
        names += [student.id or "", student.email or ""]
    return [text for text in names if len(text) >= LEAST_LETTERS]


def _cleared(value: Any, found: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return found.sub(LEFT_OUT, value)
    if isinstance(value, dict):
        return {key: one if key in KEPT else _cleared(one, found) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_cleared(one, found) for one in value]
    return value
