"""Reports that an earlier run left behind: found, read, and checked before they are trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.reports.report import FilesFigure, PicturesFigure, Report

REPORT = "report.json"
MARKED_KEY = b'"marked": {'  # in a text, its quotation marks would be escaped
MAX_PROBLEMS = 8  # folders with unreadable reports that are named


@dataclass(frozen=True)
class Stored:
    """A report and the folder that holds it and its pictures."""

    folder: Path
    report: Report

    @property
    def id(self) -> str:
        """The submission's id."""
        return self.report.id


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


def read_one(path: Path) -> Stored:
    """Return one report, named by its file or its folder.

    Raises:
        UsageError: it cannot be read.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        return Stored(file.parent, _read(file))
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None


def beside(folder: Path, assignment: str, but: Collection[str]) -> tuple[list[Report], list[str]]:
    """Return what earlier runs left in ``folder``, without the submissions ``but``.

    Returns:
        The reports of this assignment, and one line for each file that is not a report of it.
    """
    found: list[Report] = []
    problems: list[str] = []
    for path in sorted(folder.glob(f"*/{REPORT}")):
        if path.parent.name in but:
            continue
        try:
            made = _read(path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        if made.assignment == assignment:
            found.append(made)
        else:
            problems.append(f"{path}: belongs to the assignment {made.assignment!r}")
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
            marks = [check.id for check in _read(path).checks() if check.marked is not None]
        except ValueError:
            found[identifier] = []
            continue
        if marks:
            found[identifier] = marks
    return found


def _read(path: Path) -> Report:
    """Return one report; raises ``ValueError`` with what is wrong with it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return Report.read(raw)


def check_ids(reports: Sequence[Report]) -> list[str]:
    """Return the ids of all checks of these reports, each report's order kept where possible."""
    ids: list[str] = []
    for made in sorted(reports, key=lambda made: -len(made.by_id())):
        place = 0
        for check in made.by_id():
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
    for name in picture_names(stored.report):
        path = stored.folder / name
        if path.is_file():
            yield name, path.read_bytes()


def picture_names(report: Report) -> Iterator[str]:
    """Yield the names of the pictures of a report, as far as they lead to its own folder."""
    for check in report.checks():
        named = [figure for figure in check.figures if isinstance(figure, PicturesFigure)]
        files = [item.file for figure in named for item in figure.items]
        handed_in = [figure for figure in check.figures if isinstance(figure, FilesFigure)]
        files += [item.file for figure in handed_in for item in figure.items if item.file]
        for file in files:
            name = PurePosixPath(file)
            if not name.is_absolute() and ".." not in name.parts:
                yield file
