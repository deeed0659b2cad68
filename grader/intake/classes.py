"""Which submissions a command line names: one, a folder of them, or a platform's download.

A class may also be an archive. ``Classes`` unpacks it for as long as it is graded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import Closing, UsageError
from grader.intake.archives import DAMAGED, MIB, TooMuchError, tar_entries, zip_entries
from grader.intake.downloads import METADATA, MOODLE, Collected, canvas_match, collected, single
from grader.intake.names import (
    CLUTTER,
    ENVIRONMENT_MARK,
    ENVIRONMENTS,
    INSTALLED,
    RESERVED_IDS,
    installed_in,
    is_archive,
    is_packed,
    safe_id,
    stem,
)
from grader.intake.notebook import SUFFIX
from grader.intake.places import CODE, is_meant
from grader.intake.unpacking import MAX_DEPTH, is_zip, unpack_class

MAX_CLASS_ENTRIES = 200_000
MAX_CLASS_BYTES = 16 * 1024 * MIB  # of a class of hundreds with trained networks
# Folders that people make inside one homework; a class does not consist of these.
INNER = re.compile(
    r"(?i:src|source|code|lib|utils?|helpers?|tests?|notebooks?|\w*data\w*|models?|docs?|old|"
    r"backup|images?|figures?|results?|outputs?|checkpoints?|weights|saved|"
    r"(?:my[ _-]?)?(?:new|final|first|second|last|draft|copy|attempt|version|v)[ _-]?\d*|"
    r"(?:q|question|task|part|problem|exercise|week|homework|hw)[ _-]?\d*[a-z]?"
    r"(?:[ _-]*(?:new|old|final|copy|backup|v?\d+|\(\d+\)))*)"
)
MIN_UNNAMED = 3  # from so many folders with notebooks of any name, an archive is a class
Origin = Path | Collected


@dataclass(frozen=True)
class Folder:
    """A folder, on the disk or in an archive, and the paths of the files in it."""

    name: str
    files: Sequence[PurePosixPath]

    def named(self, modules: Sequence[str]) -> set[str]:
        """Return the modules of the rubric in it, at most one folder further down."""
        near = {file.name for file in self.files if len(file.parts) <= 2}  # noqa: PLR2004
        return {name for name in modules if any(is_meant(file, name) for file in near)}

    def held(self, modules: Sequence[str]) -> set[str]:
        """Return the modules that may be in it; an archive or a notebook may hold any."""
        near = (file.name.lower() for file in self.files if len(file.parts) <= 2)  # noqa: PLR2004
        packed = any(is_packed(name) or name.endswith(SUFFIX) for name in near)
        named = self.named(modules)
        return set(modules) if packed and not named and not INNER.fullmatch(self.name) else named

    def has_code(self) -> bool:
        """Say whether it holds code."""
        return any(file.suffix.lower() in CODE or is_packed(file.name) for file in self.files)


class Classes(Closing):
    """Archives of whole classes, unpacked into a folder that is removed at the end."""

    def __init__(self) -> None:
        self._folder: Closing | None = None
        self._count = 0

    def opened(self, path: Path) -> Path:
        """Unpack the archive of a class and return the folder that it is in.

        Raises:
            UsageError: it cannot be unpacked.
            BrokenError: no folder can be made, or the disk is full.
        """
        from grader.intake.staging import StagingFolder  # needs fcntl, which some systems lack

        if not isinstance(self._folder, StagingFolder):
            self._folder = StagingFolder()
            self._folder.path.chmod(0o700)  # all students' work; workers see only what is staged
        self._count += 1
        target = self._folder.path / f"class{self._count}" / stem(path)
        target.mkdir(parents=True)
        unpack_class(path, target)
        return target

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._folder is not None:
            self._folder.close()


def find(
    arguments: Sequence[Path], modules: Sequence[str], classes: Classes | None = None
) -> list[tuple[str, Origin]]:
    """Return (id, where it is) of all submissions named on a command line.

    An argument is an archive, a submission's folder, a folder of submissions (which holds no module
    of the rubric itself, while folders or archives in it do), or a platform's download. With
    ``classes``, an archive may also hold a class.

    Raises:
        UsageError: an argument does not exist, is neither folder nor archive, or is empty.
    """
    found: list[tuple[str, Origin]] = []
    taken: set[str] = set(RESERVED_IDS)
    for argument in arguments:
        origins = _expand(argument, modules, classes)
        if not origins:
            raise UsageError(f"{argument}: no submissions found")
        for origin in origins:
            if isinstance(origin, Collected):
                base = origin.identifier
            else:
                base = safe_id(stem(origin.resolve()))
            identifier, number = base, 1
            while identifier.lower() in taken:
                number += 1
                identifier = f"{base}-{number}"
            taken.add(identifier.lower())
            found.append((identifier, origin))
    return found


def _expand(path: Path, modules: Sequence[str], classes: Classes | None) -> Sequence[Origin]:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if path.is_file():
        if not is_packed(path.name):
            raise UsageError(f"{path}: a submission must be a folder, a .zip or a .tar.gz")
        if classes is not None and is_archive(path.name) and _is_class(path, modules):
            return _of_folder(classes.opened(path), modules, unpacked=True)
        return [single(path) or path]
    found = _of_folder(path, modules, unpacked=False)
    return [single(path) or path] if list(found) == [path] else found


def _of_folder(path: Path, modules: Sequence[str], *, unpacked: bool) -> Sequence[Origin]:
    entries = _entries(path)
    inner = entries[0] if len(entries) == 1 and entries[0].is_dir() else None
    if inner is not None and (unpacked or (inner / METADATA).is_file() or _is_moodle(inner)):
        path, entries = inner, _entries(inner)
    if any(entry.name in modules for entry in entries):
        return [path]
    download = collected(path, entries)
    if download is not None:
        return download
    if any(is_meant(entry.name, name) and entry.is_file() for entry in entries for name in modules):
        return [path]
    archives = [entry for entry in entries if entry.is_file() and is_packed(entry.name)]
    folders = [entry for entry in entries if entry.is_dir() and _may_be_handed_in(entry)]
    if archives or _hold_submissions([_inside(folder) for folder in folders], modules):
        return sorted(archives + folders)
    return [path]


def _is_moodle(folder: Path) -> bool:
    """Say whether a single folder is the download of a class, not of one student."""
    if MOODLE.fullmatch(folder.name) or canvas_match(folder.name):
        return False
    return collected(folder, _entries(folder)) is not None


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.name not in CLUTTER)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _may_be_handed_in(folder: Path) -> bool:
    """Say whether a folder is neither hidden nor a place for installed packages."""
    made = folder.name.startswith(".") or folder.name.lower() in (ENVIRONMENTS | INSTALLED)
    return not made and not (folder / ENVIRONMENT_MARK).is_file()


def _inside(folder: Path) -> Folder:
    """Return the files of a folder, without those that nobody handed in."""
    found = []
    for parent, folders, names in os.walk(folder):
        inside = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        folders[:] = [
            f for f in folders if f not in CLUTTER and not installed_in((*inside.parts, f))
        ]
        if len(inside.parts) >= MAX_DEPTH:
            folders.clear()
        found += [inside / name for name in names]
    return Folder(folder.name, found)


def _hold_submissions(folders: Sequence[Folder], modules: Sequence[str]) -> bool:
    """Say whether each folder is a submission, rather than part of one.

    They are if two of them hold the same module. They form one submission if only one of them holds
    modules, if their names are those of parts of a homework, or if they hold different modules.
    """
    if all(INNER.fullmatch(folder.name) for folder in folders):
        return False
    held = [folder.held(modules) for folder in folders]
    holding = [names for names in held if names]
    if len(folders) <= 1:
        return bool(holding)
    if len(holding) > 1:
        return _have_in_common(holding)
    if not holding:
        return False
    others = [folder for folder, names in zip(folders, held, strict=True) if not names]
    parts = all(INNER.fullmatch(folder.name) or not folder.has_code() for folder in others)
    return not (parts and any(INNER.fullmatch(folder.name) for folder in others))


def _have_in_common(held: Sequence[set[str]]) -> bool:
    return sum(map(len, held)) > len(set().union(*held))


def _packs_submissions(folders: Sequence[Folder], modules: Sequence[str]) -> bool:
    """Say whether each folder in an archive is a submission.

    An archive is more likely to be one student's than a folder is: two folders must hold the same
    module under its name, or each of several at least a notebook or an archive.
    """
    if not _hold_submissions(folders, modules):
        return False
    named = [names for folder in folders if (names := folder.named(modules))]
    everywhere = all(folder.held(modules) for folder in folders)
    return _have_in_common(named) or (everywhere and len(folders) >= MIN_UNNAMED)


def _is_class(path: Path, modules: Sequence[str]) -> bool:
    """Say whether an archive holds the submissions of a class rather than one of them."""
    names = [PurePosixPath(*parts) for parts in _unwrapped(list(_members(path)))]
    tops = {name.parts[0] for name in names}
    top = [name.name for name in names if len(name.parts) == 1]
    if any(is_meant(name, module) for name in top for module in modules):
        return False
    if METADATA in top:
        return True
    named = [top for top in tops if canvas_match(top) or MOODLE.fullmatch(top)]
    if named and 2 * len(named) >= len(tops):
        return True
    packed = [name for name in names if is_packed(name.name)]
    if len(packed) > 1 and len(packed) == len(names) and max(len(n.parts) for n in names) <= 2:  # noqa: PLR2004
        return True
    folders: dict[str, list[PurePosixPath]] = {}
    for name in names:
        hidden = name.parts[0].startswith(".") or name.parts[0].lower() in ENVIRONMENTS
        if len(name.parts) > 1 and not hidden:
            folders.setdefault(name.parts[0], []).append(PurePosixPath(*name.parts[1:]))
    return len(folders) > 1 and _packs_submissions(
        [Folder(name, files) for name, files in folders.items()], modules
    )


def _members(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the paths of an archive's files, without those that nobody handed in."""
    try:
        reader = zip_entries if is_zip(path) else tar_entries
        for name, _size, content in reader(path, MAX_CLASS_ENTRIES, lambda _name, _why: None):
            content.close()
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if parts and not CLUTTER & set(parts) and not parts[-1].startswith("._"):
                yield parts
    except (TooMuchError, *DAMAGED):
        return  # staging it reports what is wrong


def _unwrapped(names: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Remove the folder that everything is in, unless it is a student's."""
    while names and len({parts[0] for parts in names}) == 1 and all(len(p) > 1 for p in names):
        top = names[0][0]
        if canvas_match(top) or MOODLE.fullmatch(top):
            break
        names = [parts[1:] for parts in names]
    return names
