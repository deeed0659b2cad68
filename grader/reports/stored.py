"""Reports that an earlier run left behind: found, read, and checked before they are trusted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import UsageError
from grader.model import Outcome, Status
from grader.reports.report import SCHEMA_VERSION

REPORT = "report.json"
MARKED_KEY = b'"marked": {'  # in a text, its quotation marks would be escaped
MAX_PROBLEMS = 8  # folders with unreadable reports that are named


class _Lenient(BaseModel):
    """What is needed of a report; the JSON schema says the rest."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Machine(_Lenient):
    points: float
    outcome: Outcome
    reason: str | None
    message: str


class _Marked(_Lenient):
    points: float
    comment: str
    by: str
    file: str
    machine: _Machine


class _Check(_Lenient):
    id: str
    title: str
    kind: str
    outcome: Outcome
    reason: str | None
    points: float
    max_points: float = Field(gt=0)
    visibility: str
    message: str
    hint: str
    notes: list[str]
    seed: int
    duration_s: float
    parts: list[dict[str, Any]]
    measurements: dict[str, Any]
    output: str
    figures: list[dict[str, Any]]
    extra_credit: bool
    marked: _Marked | None = None


class _Question(_Lenient):
    id: str
    title: str
    score: float
    max_score: float
    checks: list[_Check] = Field(min_length=1)


class _Submission(_Lenient):
    id: str = Field(min_length=1)
    sha256: str | None
    files: list[str]
    notes: list[str]


class _Report(_Lenient):
    assignment: str
    title: str
    status: Status
    isolation: list[str]
    graded_at: str
    grader_version: str
    tier: str
    score: float | None
    max_score: float
    submission: _Submission
    questions: list[_Question]


@dataclass(frozen=True)
class Stored:
    """A report and the folder that holds it and its pictures."""

    folder: Path
    report: dict[str, Any]

    @property
    def id(self) -> str:
        """The submission's id."""
        return str(self.report["submission"]["id"])


def load(folder: Path) -> dict[str, Stored]:
    """Return all reports below ``folder``, by the submission's id, in its order.

    Raises:
        UsageError: there are none, one cannot be read, or two are of the same submission.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name an --out folder of grader grade")
    paths = sorted(folder.rglob(REPORT))
    if not paths:
        raise UsageError(f"{folder}: holds no report.json; name an --out folder of grader grade")
    problems: list[str] = []
    found: dict[str, Stored] = {}
    for path in paths:
        try:
            stored = Stored(path.parent, _read(path))
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        if stored.id in found:
            other = found[stored.id].folder / REPORT
            problems.append(f"{path}: belongs to {stored.id}, like {other}; delete the wrong one")
        found[stored.id] = stored
    if problems:
        more = len(problems) - MAX_PROBLEMS
        told = [*problems[:MAX_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
        raise UsageError("\n".join(told))
    return dict(sorted(found.items()))


def beside(
    folder: Path, assignment: str, but: Collection[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what earlier runs left in ``folder``, without the submissions ``but``.

    Returns:
        The reports of this assignment, and one line for each file that is not a report of it.
    """
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    for path in sorted(folder.glob(f"*/{REPORT}")):
        if path.parent.name in but:
            continue
        try:
            made = _read(path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        if made["assignment"] == assignment:
            found.append(made)
        else:
            problems.append(f"{path}: belongs to the assignment {made['assignment']!r}")
    return found, problems


def marked(folder: Path, identifiers: Iterable[str]) -> dict[str, list[str]]:
    """Return which checks a person has marked in the reports of these submissions.

    A report that cannot be read is taken to hold marks if it holds their key; its list is empty.
    """
    found: dict[str, list[str]] = {}
    for identifier in identifiers:
        path = folder / identifier / REPORT
        try:
            raw = path.read_bytes()
        except OSError:  # there is none, or it cannot be read, let alone replaced
            continue
        if MARKED_KEY not in raw:
            continue
        try:
            checks = checks_of(_read(path))
            marks = [name for name, check in checks.items() if check.get("marked")]
        except ValueError:
            found[identifier] = []
            continue
        if marks:
            found[identifier] = marks
    return found


def _read(path: Path) -> dict[str, Any]:
    """Return one report; raises ``ValueError`` with what is wrong with it."""
    try:
        made = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("is not JSON; grade this submission again") from None
    version = made.get("schema_version") if isinstance(made, dict) else None
    if version != SCHEMA_VERSION:
        raise ValueError(f"schema_version is {version!r}; this program reads {SCHEMA_VERSION}")
    try:
        _Report.model_validate(made)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"is not a report: {place}: {first['msg']}") from None
    return dict(made)


def checks_of(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the checks of a report by id."""
    return {check["id"]: check for question in made["questions"] for check in question["checks"]}


def check_ids(reports: Sequence[dict[str, Any]]) -> list[str]:
    """Return the ids of all checks of these reports, each report's order kept where possible."""
    ids: list[str] = []
    for made in sorted(reports, key=lambda made: -len(checks_of(made))):
        place = 0
        for check in checks_of(made):
            if check in ids:
                place = ids.index(check) + 1
            else:
                ids.insert(place, check)
                place += 1
    return ids


def pictures(stored: Stored) -> dict[str, bytes]:
    """Return the pictures that a report names, as far as they lie beside it."""
    return dict(_pictures(stored))


def _pictures(stored: Stored) -> Iterator[tuple[str, bytes]]:
    for check in checks_of(stored.report).values():
        named = [figure for figure in check["figures"] if figure["kind"] == "pictures"]
        for figure in named:
            for item in figure["items"]:
                name = PurePosixPath(item["file"])
                path = stored.folder / name
                if not name.is_absolute() and ".." not in name.parts and path.is_file():
                    yield item["file"], path.read_bytes()
