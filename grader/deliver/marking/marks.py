"""Reads a person's marks from CSV or YAML; every problem has a file, a line and a remedy.

A table has the columns submission, check, points, comment and optionally marker and sha256; a YAML
file maps submissions to checks, and these to points or to ``{points, comment, marker}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader import scoring
from grader.errors import UsageError
from grader.readers import tables, yaml_source
from grader.readers.problems import Problem, Problems
from grader.readers.tables import cell
from grader.readers.texts import did_you_mean, plain, quoted
from grader.reports.report import CheckReport, Report
from grader.reports.stored import Stored

COLUMNS = ("submission", "check", "points", "comment")
TEMPLATE = (
    "submission",
    "check",
    "title",
    "max_points",
    "points",
    "comment",
    "marker",
    "sha256",
    "decided",
)
KEYS = ("points", "comment", "marker", "sha256")
YAML_SUFFIXES = (".yaml", ".yml")
SHA_PREFIX = "sha256:"  # without it, a spreadsheet reads 12e45 as a number
SHA_DIGITS = 16  # of a digest in a template: enough to distinguish submissions
MAX_COMMENT = 20_000  # characters; a comment is an answer to a student, not a document


@dataclass(frozen=True)
class Mark:
    """One mark: what a person gave for a check of a submission, and where that is written.

    ``sha256`` is the beginning of the digest of the submission that was marked, or empty.
    ``usable`` is False if the points are wrong: then only the names count.
    """

    submission: str
    check: str
    points: float
    comment: str
    by: str
    source: str
    line: int
    sha256: str = ""
    usable: bool = True

    @property
    def file(self) -> str:
        """The name of its file, without the folder."""
        return Path(self.source).name

    def problem(self, text: str) -> Problem:
        """Return a problem of this mark."""
        return Problem(self.source, self.line, "", text)


@dataclass
class MarksFile:
    """What the files hold: the marks, rows of a template not filled in yet, and problems.

    ``later`` counts rows that have a comment and no points: somebody wants to come back to them.
    """

    marks: list[Mark] = field(default_factory=list)
    unfilled: int = 0
    later: int = 0
    problems: Problems = field(default_factory=Problems)

    def skip(self, comment: str) -> None:
        """Count a row without points."""
        self.later += bool(comment)
        self.unfilled += not comment


def read(paths: Sequence[Path]) -> MarksFile:
    """Read files of marks; a check may be marked twice only with the same mark.

    Unusable marks are included, so that their names can be checked as well.

    Raises:
        UsageError: a file is not there or cannot be read.
    """
    reading = MarksFile()
    marks: list[Mark] = []
    for path in paths:
        if path.suffix.lower() in YAML_SUFFIXES:
            marks += _from_yaml(path, reading)
        else:
            marks += _from_csv(path, reading)
    reading.marks = _unique(marks, reading)
    return reading


def _unique(marks: Iterable[Mark], reading: MarksFile) -> list[Mark]:
    found: dict[tuple[str, str], Mark] = {}
    for mark in marks:
        first = found.setdefault((mark.submission, mark.check), mark)
        if not (mark.usable and first.usable):
            continue
        if (mark.points, mark.comment) != (first.points, first.comment):
            what = "points" if mark.points != first.points else "a comment"
            values = (
                f"{plain(first.points)} and {plain(mark.points)}"
                if mark.points != first.points
                else f"{quoted(first.comment)} and {quoted(mark.comment)}"
            )
            text = (
                f"{mark.submission} {mark.check} has {what} twice: {values} (first in "
                f"{first.source}:{first.line}); keep one"
            )
            reading.problems.extend([mark.problem(text)])
    return list(found.values())


def _from_csv(path: Path, reading: MarksFile) -> Iterator[Mark]:
    table = tables.read(path)
    names = {name: table.column(name) for name in TEMPLATE}
    missing = [name for name in COLUMNS[:3] if names[name] is None]
    if missing and not table.problems:
        there = ", ".join(quoted(column) for column in table.columns if column) or "none"
        table.problems.add(
            1,
            f"the column {', '.join(missing)} is missing (there are: {there}); the first row must "
            "name the columns submission, check, points, comment",
        )
    known = {tables.folded_name(name) for name in TEMPLATE}
    for column in table.columns:
        near = did_you_mean(column, TEMPLATE)
        if near and tables.folded_name(column) not in known and not missing:
            table.problems.add(1, f"unknown column {quoted(column)}{near}")
    if not table.problems:
        for row in table.rows:
            cells = {
                name: tables.unquoted(row.cells[column]).strip() if column else ""
                for name, column in names.items()
            }
            mark = _from_row(table, row.line, cells, reading)
            if mark is not None:
                yield mark
    reading.problems.extend(table.problems)


def _from_row(
    table: tables.Sheet, line: int, cells: Mapping[str, str], reading: MarksFile
) -> Mark | None:
    problems: list[str] = []
    if not cells["points"]:
        reading.skip(cells["comment"])
        return None
    problems += [f"{name} is empty" for name in ("submission", "check") if not cells[name]]
    points = _points(cells["points"], problems)
    if len(cells["comment"]) > MAX_COMMENT:
        problems.append(f"the comment has {len(cells['comment'])} characters, over {MAX_COMMENT}")
    for problem in problems:
        table.problems.add(line, problem)
    if not (cells["submission"] and cells["check"]):
        return None
    return Mark(
        cells["submission"],
        cells["check"],
        points or 0.0,
        cells["comment"].replace("\r\n", "\n"),
        cells["marker"],
        table.name,
        line,
        cells["sha256"].removeprefix(SHA_PREFIX),
        not problems,
    )


def _points(value: object, problems: list[str]) -> float | None:
    """Return points as a number, or add what is wrong with them to ``problems``."""
    number: float | None = None
    if isinstance(value, str):
        number = tables.number(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    if number is None or not -1e9 < number < 1e9:  # noqa: PLR2004 - nan, infinity and nonsense
        problems.append(f"points: {quoted(str(value))} is not a number; write 1.5 or 1,5")
        return None
    if number < 0:
        problems.append(f"points: {plain(number)} is negative; the least is 0")
        return None
    return round(number, scoring.POINT_DIGITS)


def _from_yaml(path: Path, reading: MarksFile) -> Iterator[Mark]:
    try:
        source = yaml_source.read(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if not source.problems and not isinstance(source.data, dict):
        source.problems.add(1, "must map submissions to checks: alice: {q5.9: 1.5}")
    if source.problems:
        reading.problems.extend(source.problems)
        return
    for submission, checks in source.data.items():
        if not isinstance(checks, dict):
            line = source.line((submission,))
            text = f"{quoted(submission)} must map checks to points: {{q5.9: 1.5}}"
            reading.problems.extend([Problem(str(path), line, "", text)])
            continue
        for check, given in checks.items():
            where = (submission, check)
            mark = _from_value(path, source.line(where), where, given, reading)
            if mark is not None:
                yield mark


def _from_value(
    path: Path, line: int, where: tuple[str, str], given: object, reading: MarksFile
) -> Mark | None:
    if given is None:
        reading.unfilled += 1
        return None
    values: dict[str, Any] = given if isinstance(given, dict) else {"points": given}
    problems = [
        f"unknown key {quoted(str(key))}{did_you_mean(str(key), KEYS)}; the keys are "
        f"{', '.join(KEYS)}"
        for key in values
        if key not in KEYS
    ]
    texts = {name: values.get(name) for name in KEYS[1:]}
    problems += [
        f"{name}: {quoted(str(value))} is not text; put it in quotes"
        for name, value in texts.items()
        if value is not None and not isinstance(value, str)
    ]
    comment = str(texts["comment"] or "").strip()
    given_points = values.get("points")
    if given_points in (None, "") and not problems:
        reading.skip(comment)
        return None
    points = _points("" if given_points is None else given_points, problems)
    if len(comment) > MAX_COMMENT:
        problems.append(f"the comment has {len(comment)} characters, over {MAX_COMMENT}")
    name = " ".join(where)
    reading.problems.extend(Problem(str(path), line, name, text) for text in problems)
    by = str(texts["marker"] or "").strip()
    digest = str(texts["sha256"] or "").strip().removeprefix(SHA_PREFIX)
    usable = not problems
    return Mark(*where, points or 0.0, comment, by, str(path), line, digest, usable)


def template(reports: Iterable[Stored]) -> tuple[str, int]:
    """Return a table to fill in, one row per pending check, and the number of these rows."""
    rows = [
        [row[name] for name in TEMPLATE]
        for stored in reports
        for check in stored.report.checks()
        if check.outcome == "pending"
        for row in (row_of(stored.report, check),)
    ]
    return tables.as_csv([list(TEMPLATE), *rows], mark=True), len(rows)


def row_of(made: Report, check: CheckReport, name: str | None = None) -> dict[str, str]:
    """Return what is known of a pending check's row, by column; the columns to fill in are empty.

    Args:
        made: its report.
        check: the check.
        name: what stands in place of the submission's id and of its digest.
    """
    digest = made.submission.sha256 if name is None else None
    some = any(part.undecided for part in check.parts)
    return dict.fromkeys(TEMPLATE, "") | {
        "submission": cell(name or made.id),
        "check": cell(check.id),
        "title": cell(check.title),
        "max_points": plain(check.max_points),
        "sha256": f"{SHA_PREFIX}{digest[:SHA_DIGITS]}" if digest else "",
        "decided": plain(check.points) if some else "",
    }
