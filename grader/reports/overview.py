"""The files that list a class: ``gradebook.csv`` and ``index.html``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.model import Rubric
from grader.reports import gradebook, html, neighbors, stored
from grader.reports.report import Report

GRADEBOOK, INDEX = "gradebook.csv", "index.html"
MAX_NAMED = 8  # submissions named in one message


def write(
    out: Path, rubric: Rubric, made: Sequence[Report], *, always: bool
) -> tuple[int, list[str]]:
    """List all reports in ``out``: those just made, and those that earlier runs left there.

    If a single submission is graded again, only its own row is replaced.

    Args:
        out: the folder of the reports.
        rubric: its checks come first among the columns.
        made: the reports of this run.
        always: whether to write the files even if they list only one submission.

    Returns:
        How many reports of earlier runs are listed, and why others are not, one line each.

    Raises:
        BrokenError: a file cannot be written.
    """
    checks = [check.id for question in rubric.questions for check in question.checks]
    return write_columns(out, rubric.assignment, checks, made, always=always)


def write_columns(
    out: Path, assignment: str, checks: Sequence[str], made: Sequence[Report], *, always: bool
) -> tuple[int, list[str]]:
    """List all reports in ``out`` as ``write`` does, with columns for these checks first."""
    done = {report.id for report in made}
    earlier, problems = stored.beside(out, assignment, done)
    reports = [*made, *earlier]
    if always or len(reports) > 1 or (out / GRADEBOOK).is_file():
        gradebook.write(out / GRADEBOOK, checks, reports)
        write_index(out, reports, checks)
    return len(earlier), problems


def write_index(out: Path, reports: Sequence[Report], checks: Sequence[str]) -> None:
    """Write the page of a class, and the links to it and to the neighbors in each report beside it.

    Args:
        out: the folder of the reports.
        reports: at least one.
        checks: their ids in the rubric's order.

    Raises:
        BrokenError: the page of the class cannot be written.
    """
    html.write_index(out / INDEX, reports, checks)
    neighbors.link(out, sorted(made.id for made in reports), INDEX)


def marks_lost(out: Path, found: Mapping[str, Sequence[str]], verb: str = "grade") -> None:
    """Refuse to overwrite reports in which a person has marked something.

    Args:
        out: the folder of the reports.
        found: the marked checks, by submission; none where a report cannot be read.
        verb: what was about to be done.

    Raises:
        UsageError: with the submissions and their checks, and what can be done.
    """
    if not found:
        return
    named = [" ".join([name, *checks]) for name, checks in list(found.items())[:MAX_NAMED]]
    more = len(found) - MAX_NAMED
    rest = f" and {more} more" if more > 0 else ""
    raise UsageError(
        f"--out {out}: this would overwrite a person's marks: {', '.join(named)}{rest}. "
        f"Nothing was {verb}d. {verb.capitalize()} into another --out DIR and apply the marks "
        "there with `grader mark DIR --marks FILE --reapply`, or add --discard-marks"
    )
