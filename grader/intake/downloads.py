"""How platforms name the files of a class, and whose these are.

Canvas: ``<name>[_LATE]_<user>_<file>_<file name>``; with anonymous grading, the user is
``anon_<code>`` without a name; a text entry has no file number. Moodle: folders (or, depending on a
setting, prefixes of files) ``<Full name>_<participant>_assignsubmission_<kind>``. Gradescope: a
folder per submission and ``submission_metadata.yml``, whose keys are Ruby symbols.

Source: ``content_zipper.rb`` of Canvas (``get_filename``), ``mod/assign/classes/downloader.php`` of
Moodle (``get_student_prefix``), and exports of Gradescope.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from grader.intake.archives import shown
from grader.intake.names import safe_id, stem
from grader.intake.places import loosened
from grader.readers.texts import printable

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 64 * 1024 * 1024  # it holds the results of all earlier submissions
MAX_FIELD = 200
MAX_EARLIER = 4  # attempts that a note names
CANVAS = re.compile(
    r"(?P<name>\w+?)_(?:(?P<late>LATE)_)?(?P<id>\d+)_(?:(?P<file>\d+)_(?P<rest>.+)"
    r"|(?P<entry>(?:text|link)\.html))",
    re.DOTALL,
)
CANVAS_ANONYMOUS = re.compile(
    r"(?P<name>)(?:(?P<late>LATE)_)?(?P<id>anon_[A-Za-z0-9]+)_(?:(?P<file>\d+)_(?P<rest>.+)"
    r"|(?P<entry>(?:text|link)\.html))",
    re.DOTALL,
)
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)


@dataclass(frozen=True)
class Student:
    """Who handed in, as far as the platform says; do not trust the text in these fields."""

    name: str = ""
    id: str = ""
    email: str = ""
    late: bool | None = None

    def plain(self) -> dict[str, Any]:
        """Return what is known, for a report."""
        fields = {"name": self.name, "id": self.id, "email": self.email, "late": self.late}
        return {key: value for key, value in fields.items() if value not in ("", None)}


@dataclass(frozen=True)
class HandedInFile:
    """A folder, an archive or a file that belongs to a submission.

    ``name`` is what the file was called before the platform renamed it; empty for a folder.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Collected:
    """A submission of a platform's download: one student's, in one or more parts."""

    identifier: str
    parts: tuple[HandedInFile, ...]
    student: Student | None = None
    notes: tuple[str, ...] = ()


def canvas_match(name: str) -> re.Match[str] | None:
    """Return what Canvas put into a name."""
    return CANVAS_ANONYMOUS.fullmatch(name) or CANVAS.fullmatch(name)


def collected(folder: Path, entries: Sequence[Path]) -> list[Collected] | None:
    """Return the submissions of a platform's download; None if the folder is not one."""
    if (folder / METADATA).is_file():
        return _gradescope(folder, entries)
    for match, gather in _PLATFORMS:
        groups = _grouped(entries, match)
        named = sum(len(group) for group in groups.values())
        if named and 2 * named >= len(entries):
            others = [entry for entry in entries if match(entry.name) is None]
            made = [gather(group) for group in groups.values()]
            return made + [_plain(entry) for entry in others if _may_be_submission(entry)]
    return None


def single(path: Path) -> Collected | None:
    """Return a single submission under its platform name; None if it has none."""
    for match, gather in _PLATFORMS:
        found = match(path.name)
        if found is not None:
            return gather([(path, found)])
    return None


Named = tuple[Path, "re.Match[str]"]


def _grouped(
    entries: Iterable[Path], match: Callable[[str], re.Match[str] | None]
) -> dict[str, list[Named]]:
    groups: dict[str, list[Named]] = {}
    for entry in entries:
        found = match(entry.name)
        if found is not None:
            groups.setdefault(found["id"], []).append((entry, found))
    return groups


def _may_be_submission(entry: Path) -> bool:
    return entry.is_dir() or stem(entry) != entry.name


def _plain(entry: Path) -> Collected:
    return Collected(safe_id(stem(entry)), (HandedInFile(entry, ""),))


def _canvas(group: Sequence[Named]) -> Collected:
    """Return one student's files; if several have the same name, the newest counts."""
    first = group[0][1]
    newest: dict[str, Named] = {}
    earlier: list[str] = []
    for entry, found in sorted(group, key=lambda named: int(named[1]["file"] or 0)):
        key = loosened(found["rest"] or found["entry"])
        if key in newest:
            earlier.append(newest[key][0].name)
        newest[key] = (entry, found)
    parts = tuple(HandedInFile(e, f["rest"] or f["entry"]) for e, f in reversed(newest.values()))
    late = any(found["late"] for _entry, found in newest.values())
    identifier = safe_id(_stem(parts[0].path))
    if len(parts) > 1:
        file = max(int(found["file"] or 0) for _entry, found in newest.values())
        words = [first["name"], "LATE" if late else "", first["id"], str(file), "files"]
        identifier = safe_id("_".join(word for word in words if word))
    return Collected(identifier, parts, _student(first["name"], first["id"], late), _told(earlier))


def _stem(path: Path) -> str:
    return stem(path) if stem(path) != path.name else path.stem


def _told(earlier: Sequence[str]) -> tuple[str, ...]:
    names = ", ".join(map(shown, earlier[:MAX_EARLIER]))
    return (f"earlier attempts were ignored: {names}",) if earlier else ()


def _moodle(group: Sequence[Named]) -> Collected:
    first = group[0][1]
    parts = tuple(
        HandedInFile(entry, found["rest"] or ("" if entry.is_dir() else entry.name))
        for entry, found in sorted(group, key=lambda named: named[1]["kind"] != "file")
    )
    identifier = safe_id(f"{first['name']}_{first['id']}_assignsubmission_file")
    return Collected(identifier, parts, _student(first["name"], first["id"]))


_PLATFORMS = ((canvas_match, _canvas), (MOODLE.fullmatch, _moodle))


def _student(name: object, identifier: object, late: bool | None = None) -> Student:  # noqa: FBT001
    return Student(_field(name), _field(identifier), late=late)


def _field(value: object) -> str:
    return "" if value is None else printable(str(value), MAX_FIELD).strip()


def _gradescope(folder: Path, entries: Sequence[Path]) -> list[Collected]:
    """Return the folders of an export; if a student has several, the newest counts."""
    records, problem = _records(folder / METADATA)
    made: list[Collected] = []
    newest: dict[str, tuple[str, int]] = {}
    for entry in entries:
        if entry.name == METADATA or not _may_be_submission(entry):
            continue
        record = records.get(entry.name)
        record = record if isinstance(record, dict) else {}
        student, key = _submitters(record)
        one = Collected(safe_id(stem(entry)), (HandedInFile(entry, ""),), student, problem)
        created = str(record.get(":created_at", ""))
        before = newest.get(key) if key else None
        if before is None:
            newest[key] = (created, len(made))
            made.append(one)
        else:
            older, newer = (made[before[1]], one) if created > before[0] else (one, made[before[1]])
            notes = (*newer.notes, *_told([older.identifier]))
            made[before[1]] = Collected(newer.identifier, newer.parts, newer.student, notes)
            newest[key] = (max(created, before[0]), before[1])
    return made


def _submitters(record: dict[str, Any]) -> tuple[Student | None, str]:
    """Return who submitted, a group as one, and what identifies them."""
    people = record.get(":submitters")
    people = [p for p in people if isinstance(p, dict)] if isinstance(people, list) else []
    if not people:
        return None, ""
    name, sid, email = (
        ", ".join(_field(p[key]) for p in people if p.get(key))[:MAX_FIELD]
        for key in (":name", ":sid", ":email")
    )
    key = "\0".join(sorted(str(p.get(":email") or p.get(":sid") or "") for p in people))
    return Student(name, sid, email), key.strip("\0")


def _records(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the metadata by folder; a note if it cannot be read."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if path.stat().st_size > MAX_METADATA_BYTES:
            return {}, (f"{METADATA} is too long to read: students' names are unknown",)
        data = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe one in C
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        return {}, (f"{METADATA}{line}: cannot be read: students' names are unknown",)
    return (data if isinstance(data, dict) else {}), ()
