"""How platforms name the files of a class, and whose these are.

Canvas: ``canvas.py``. Moodle: folders (or, by a setting, prefixes of files)
``<Full name>_<participant>_assignsubmission_<kind>``. Autolab: ``<email>_<version>_<file>``.
Gradescope: a folder per submission and ``submission_metadata.yml``, whose keys are symbols of Ruby.

Source: ``mod/assign/classes/downloader.php`` of Moodle (``get_student_prefix``),
``app/models/submission.rb`` of Autolab (``handin_file_long_filename``), and exports of Gradescope.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from grader.intake import canvas
from grader.intake.archives import shown
from grader.intake.names import safe_id, stem
from grader.intake.places import loosened
from grader.readers import yaml_records
from grader.readers.texts import printable

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 64 * 1024 * 1024  # it holds the results of all earlier submissions
MAX_FIELD = 200
MAX_EARLIER = 4  # attempts that a note names
MAX_MEMBERS = 50  # of a group
_Item = TypeVar("_Item")
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)
# What follows the @ has no underscore, so that the version is the first number behind it.
AUTOLAB = re.compile(
    r"(?P<email>[^@\s/]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)_(?P<version>[0-9]{1,18})_(?P<rest>.+)",
    re.DOTALL,
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
    doubt: str = ""  # why it may be somebody else's than its name says


def is_named(name: str) -> bool:
    """Say whether a platform named a file or folder for one student."""
    patterns = (MOODLE, AUTOLAB)
    return bool(canvas.readings(name)) or any(pattern.fullmatch(name) for pattern in patterns)


def collected(folder: Path, entries: Sequence[Path]) -> list[Collected] | None:
    """Return the submissions of a platform's download; None if the folder is not one."""
    if (folder / METADATA).is_file():
        return _gradescope(folder, entries)
    for gather in _PLATFORMS:
        made, named = gather(entries)
        if named and 2 * len(named) >= len(entries):
            others = [entry for entry in entries if entry not in named]
            return made + [_plain(entry) for entry in others if _may_be_submission(entry)]
    return None


def single(path: Path) -> Collected | None:
    """Return a hand-in that is named alone, under a platform's name for it; None if it has none."""
    for gather in _PLATFORMS:
        made, _named = gather([path])
        if made:
            return made[0]
    return None


def _may_be_submission(entry: Path) -> bool:
    return entry.is_dir() or stem(entry) != entry.name


def _plain(entry: Path) -> Collected:
    return Collected(safe_id(stem(entry)), (HandedInFile(entry, ""),))


def _grouped(owned: Iterable[tuple[Hashable, _Item]]) -> list[list[_Item]]:
    """Return what belongs together, in the order in which each first appears."""
    groups: dict[Hashable, list[_Item]] = {}
    for owner, item in owned:
        groups.setdefault(owner, []).append(item)
    return list(groups.values())


def _canvas(entries: Sequence[Path]) -> tuple[list[Collected], set[Path]]:
    read = {entry.name: ways for entry in entries if (ways := canvas.readings(entry.name))}
    left = canvas.settled(read)
    named = [entry for entry in entries if entry.name in read]
    made_up = {one: user for one in named if (user := canvas.disguised(left[one.name]))}
    groups = _grouped(
        (_owner(read[one.name], left[one.name]), one) for one in named if one not in made_up
    )
    made = [_one_of_canvas([(one, left[one.name]) for one in group]) for group in groups]
    made += [_in_doubt(one, left[one.name], user) for one, user in made_up.items()]
    return made, set(named)


def _in_doubt(path: Path, ways: canvas.Readings, user: str) -> Collected:
    """Return a file that may be another student's than the first numbers in its name say."""
    made = _one_of_canvas([(path, ways)])
    users = f"of user {ways[0].user}, or of user {user} with a made-up name"
    doubt = f"{shown(path.name)} can be read as the file {users}"
    return replace(made, student=None, doubt=doubt)


def _owner(read: canvas.Readings, left: canvas.Readings) -> Hashable:
    """Return what the files of one student have in common.

    For a name in doubt that is all its readings together: nobody else's files have the same.
    """
    return left[0].user if len(left) == 1 else frozenset(way.owner for way in read)


def _one_of_canvas(group: Sequence[tuple[Path, canvas.Readings]]) -> Collected:
    """Return one student's files; of those with one title, the newest counts."""
    newest: dict[str, tuple[Path, canvas.Readings]] = {}
    earlier: list[str] = []
    for path, ways in sorted(group, key=lambda named: int(named[1][0].file or 0)):
        key = loosened(ways[0].title)
        if key in newest:
            earlier.append(newest[key][0].name)
        newest[key] = (path, ways)
    # In doubt the shortest title is taken: a longer one has numbers in front of it.
    parts = tuple(HandedInFile(path, ways[-1].title) for path, ways in reversed(newest.values()))
    last = [ways[-1] for _path, ways in newest.values()]
    clear = all(len(ways) == 1 for _path, ways in group)
    late = any(way.late for way in last)
    identifier = safe_id(_stem(parts[0].path))
    if len(parts) > 1:
        file = str(max(int(way.file or 0) for way in last))
        words = [last[0].name, canvas.LATE if late else "", last[0].user, file, "files"]
        identifier = safe_id("_".join(word for word in words if word))
    name, user = last[0].owner if clear else ("_".join(last[0].owner), "")
    return Collected(identifier, parts, _student(name, user, late), _told(earlier))


def _stem(path: Path) -> str:
    return stem(path) if stem(path) != path.name else path.stem


def _told(earlier: Sequence[str]) -> tuple[str, ...]:
    names = ", ".join(map(shown, earlier[:MAX_EARLIER]))
    return (f"earlier attempts were ignored: {names}",) if earlier else ()


def _moodle(entries: Sequence[Path]) -> tuple[list[Collected], set[Path]]:
    read = {entry: found for entry in entries if (found := MOODLE.fullmatch(entry.name))}
    groups = _grouped((found["id"], (entry, found)) for entry, found in read.items())
    return [_one_of_moodle(group) for group in groups], {*read}


def _one_of_moodle(group: Sequence[tuple[Path, re.Match[str]]]) -> Collected:
    first = group[0][1]
    parts = tuple(
        HandedInFile(entry, found["rest"] or ("" if entry.is_dir() else entry.name))
        for entry, found in sorted(group, key=lambda named: named[1]["kind"] != "file")
    )
    identifier = safe_id(f"{first['name']}_{first['id']}_assignsubmission_file")
    return Collected(identifier, parts, _student(first["name"], first["id"]))


def _autolab(entries: Sequence[Path]) -> tuple[list[Collected], set[Path]]:
    read = {entry: found for entry in entries if (found := AUTOLAB.fullmatch(entry.name))}
    groups = _grouped((found["email"].casefold(), (entry, found)) for entry, found in read.items())
    return [_one_of_autolab(group) for group in groups], {*read}


def _one_of_autolab(group: Sequence[tuple[Path, re.Match[str]]]) -> Collected:
    """Return a student's newest version: each is a whole hand-in."""
    *earlier, (entry, found) = sorted(group, key=lambda named: int(named[1]["version"]))
    part = HandedInFile(entry, "" if entry.is_dir() else found["rest"])
    student = Student(email=_field(found["email"]))
    told = _told([path.name for path, _found in reversed(earlier)])
    return Collected(safe_id(_stem(entry)), (part,), student, told)


_PLATFORMS = (_canvas, _moodle, _autolab)


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
    people = people[:MAX_MEMBERS]
    if not people:
        return None, ""
    name, sid, email = (
        ", ".join(_field(p[key]) for p in people if p.get(key))
        for key in (":name", ":sid", ":email")
    )
    key = "\0".join(sorted(str(p.get(":email") or p.get(":sid") or "") for p in people))
    return Student(name, sid, email), key.strip("\0")


def _records(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the metadata by folder; a note if it cannot be read."""
    try:
        if path.stat().st_size > MAX_METADATA_BYTES:
            return {}, (f"{METADATA} is too long to read: students' names are unknown",)
        data = yaml_records.records(path.read_bytes())
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        return {}, (f"{METADATA}{line}: cannot be read: students' names are unknown",)
    return (data if isinstance(data, dict) else {}), ()
