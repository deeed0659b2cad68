"""The reports of a class that was graded in shards, put together in one folder.

What does not belong together is refused before anything is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.reports import neighbors, origins, overview, shards, stored
from grader.reports.files import write_bytes
from grader.reports.report import CheckReport, Report
from grader.reports.shards import Shard, ShardNote
from grader.reports.stored import REPORT, Stored
from grader.reports.written import BESIDE


@dataclass(frozen=True)
class ShardFolder:
    """A folder with the reports of a shard."""

    folder: Path
    note: ShardNote

    def __str__(self) -> str:
        return f"shard {self.note.place} in {self.folder}"


@dataclass
class Merged:
    """What was found in the folders of shards.

    Attributes:
        first: any of the shards: all are alike in what matters.
        found: the reports, by the submission's id.
        missing: the shards that are in none of the folders.
        unfinished: by shard, the submissions without a report or with too few checks.
        sources: where the hand-ins lay.
    """

    first: ShardNote
    found: dict[str, Stored] = field(default_factory=dict)
    missing: list[Shard] = field(default_factory=list)
    unfinished: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def gather(folders: Sequence[Path]) -> Merged:
    """Return the reports of the shards in these folders, or in folders directly in them.

    Raises:
        UsageError: a folder holds no shard, shards do not belong together, or a report is damaged.
    """
    found = [shard for folder in folders for shard in _shards(folder)]
    _check_alike(found)
    made = Merged(found[0].note)
    there = {shard.note.place for shard in found}
    of = made.first.of
    every = (Shard(number, of) for number in range(1, of + 1))
    made.missing = [place for place in every if place not in there]
    for shard in sorted(found, key=lambda shard: shard.note.shard):
        _add(made, shard)
    # One shard may be there twice, and be finished in one of the folders.
    for name, left in made.unfinished.items():
        made.unfinished[name] = [one for one in left if one not in made.found]
    made.unfinished = {name: left for name, left in made.unfinished.items() if left}
    made.found = dict(sorted(made.found.items()))
    return made


def _shards(folder: Path) -> list[ShardFolder]:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    noted = [(path, shards.read(path)) for path in (folder, *below)]
    found = [ShardFolder(path, note) for path, note in noted if note is not None]
    if not found:
        raise UsageError(
            f"{folder}: holds no shard; name an --out folder of grader grade --shard K/N"
        )
    return found


def _check_alike(found: Sequence[ShardFolder]) -> None:
    first = found[0]
    mine = first.note
    for other in found[1:]:
        theirs = other.note
        both = f"{first} and {other}"
        if difference := mine.graded_with.difference(theirs.graded_with):
            raise UsageError(f"{both} were graded with {difference}")
        if mine.wanted != theirs.wanted:
            raise UsageError(f"{both} were graded with a different --only")
        if mine.of != theirs.of:
            raise UsageError(f"{both} do not divide the class into the same number of shards")
        if mine.class_digest != theirs.class_digest:
            raise UsageError(
                f"{both} are of different classes, of {mine.class_size} and {theirs.class_size} "
                "submissions: name the same submissions for each shard"
            )


def _add(made: Merged, shard: ShardFolder) -> None:
    """Add the reports of a shard; what else lies in its folder belongs to no shard, or another."""
    wanted = frozenset(shard.note.wanted)
    sources = origins.read(shard.folder)
    left = []
    for name in shard.note.submissions:
        one = _stored(shard, name)
        if one is None or not _is_whole(one.report, wanted):
            left.append(name)
            continue
        if name in made.found and results(made.found[name].report) != results(one.report):
            raise UsageError(
                f"{made.found[name].folder / REPORT} and {one.folder / REPORT} have different "
                "results for the same submission: leave out one of the two folders"
            )
        made.found.setdefault(name, one)
        if name in sources:
            made.sources.setdefault(name, sources[name])
    if left:
        made.unfinished[str(shard)] = left


def _is_whole(report: Report, wanted: frozenset[str]) -> bool:
    return report.status == "broken" or wanted <= report.by_id().keys()


def _stored(shard: ShardFolder, name: str) -> Stored | None:
    folder = shard.folder / name
    try:
        report = Report.read((folder / REPORT).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{folder / REPORT}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{folder / REPORT}: {error}") from None
    bases = shard.note.graded_with.checks
    old = [c.id for c in report.checks() if c.basis is not None and c.basis != bases.get(c.id)]
    if report.assignment != shard.note.graded_with.assignment or report.id != name or old:
        what = f"its {old[0]} was" if old else "it was"
        raise UsageError(
            f"{folder / REPORT}: {what} graded with another rubric, reference or program than "
            f"shard {shard.note.place}: grade this shard again"
        )
    return Stored(folder, report)


def results(report: Report) -> list[Any]:
    """Return what makes up a grade, without times and wording."""
    checks = [(c.id, c.outcome, c.reason, c.points, c.marked) for c in report.checks()]
    return [report.submission.basis, report.status, report.score, *checks]


def marks_in_the_way(out: Path, merged: Merged) -> tuple[dict[str, list[str]], set[str]]:
    """Return the marks of a person in ``out`` that merging would lose, and what keeps its marks.

    A marked report stays as it is if the shard has the results that it was marked with.

    Returns:
        The marked checks by submission, and the submissions whose reports stay.
    """
    marked = stored.marked(out, merged.found)
    kept = set()
    for name in marked:
        new = merged.found[name].report
        try:
            old = Report.read((out / name / REPORT).read_bytes())
        except (OSError, ValueError):
            continue
        same = old.frame == new.frame and _by_machine(old) == _by_machine(new)
        if old == new or (_is_unmarked(new) and same):
            kept.add(name)
    return {name: checks for name, checks in marked.items() if name not in kept}, kept


def _is_unmarked(report: Report) -> bool:
    return all(check.marked is None for check in report.checks())


def _by_machine(report: Report) -> list[Any]:
    checks = [(check.id, _machine(check)) for check in report.checks()]
    return [report.submission.basis, *checks]


def _machine(check: CheckReport) -> Any:
    if check.outcome == "broken":
        return None
    found = check.machine
    return found.points, found.outcome, found.reason


def copy(out: Path, merged: Merged, but: Collection[str]) -> Iterator[str]:
    """Copy the reports to ``out``, each with its files, and yield the ids as they are there.

    Args:
        out: the folder to write to.
        merged: what to copy.
        but: submissions whose reports in ``out`` stay as they are.

    Raises:
        BrokenError: a file cannot be written.
    """
    for name, one in merged.found.items():
        if name not in but:
            _copy_one(out / name, one)
        yield name


def _copy_one(target: Path, one: Stored) -> None:
    raw = (one.folder / REPORT).read_bytes()
    pictures = stored.pictures(one)
    files = {name: one.folder / name for name in BESIDE}
    data = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    if neighbors.PAGE in data:  # its links lead to neighbors in the shard
        data[neighbors.PAGE] = neighbors.with_links(data[neighbors.PAGE])
    for name, content in itertools.chain(pictures.items(), data.items()):
        if not _holds(target / name, content):
            write_bytes(target / name, content)
    if not _holds(target / REPORT, raw):
        write_bytes(target / REPORT, raw)


def _holds(path: Path, content: bytes) -> bool:
    try:
        there = path.read_bytes()
        return (neighbors.with_links(there) if path.name == neighbors.PAGE else there) == content
    except OSError:
        return False


def list_all(out: Path, merged: Merged, kept: Collection[str]) -> tuple[list[Report], list[str]]:
    """Write the overview of ``out``; return all reports of the shards, and why others are not in.

    Args:
        out: the folder of the reports.
        merged: what was copied there.
        kept: submissions whose reports there stayed as they were.

    Raises:
        BrokenError: a file cannot be written.
    """
    reports = [
        Report.read((out / name / REPORT).read_bytes()) if name in kept else one.report
        for name, one in merged.found.items()
    ]
    ground = merged.first.graded_with
    _listed, problems = overview.write_columns(
        out, ground.assignment, [*ground.checks], reports, always=True
    )
    return reports, problems
