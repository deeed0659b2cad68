"""Which submissions a command line names: one, a folder of them, or what a platform lets download.

A class may be an archive, too. ``Classes`` unpacks it for as long as it is graded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from grader.errors import Closing, UsageError
from grader.intake import identity
from grader.intake.archives import DAMAGED, TooMuchError, shown, tar_entries, zip_entries
from grader.intake.downloads import Collected, HandedInFile, collected, is_named, single
from grader.intake.layouts import (
    OFFICE,
    SECTION,
    Asked,
    Folder,
    Origin,
    gathered,
    hold_submissions,
    is_made,
    only_archive,
    places,
    split,
    strays,
)
from grader.intake.names import (
    CLUTTER,
    ENVIRONMENT_MARK,
    installed_in,
    is_archive,
    is_packed,
    safe_id,
    stem,
)
from grader.intake.places import CODE, loosened
from grader.intake.unpacking import CLASS, MAX_DEPTH, is_zip, unpack_class

MAX_CLASS_ENTRIES = 200_000
MAX_LEFT_OUT = 8  # names in a note
MAX_WRAPPERS = 2  # archives around that of a class
FORK = "._"  # begins the names of files in which a Mac keeps what other systems do not store


class Classes(Closing):
    """Archives of whole classes, unpacked into a folder that is removed in the end.

    Attributes:
        notes: what in the folders of classes can be nobody's submission, and why.
        contested: why a hand-in belongs to nobody until a person decides, by its id.
        sources: where a hand-in lies, by its id, for a person and to compare.

    Args:
        most_bytes: how much all archives of classes may hold together, unpacked.
    """

    def __init__(self, most_bytes: int = CLASS.total_bytes) -> None:
        self.contested: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self._archives: dict[Path, Path] = {}  # by the folder that each was unpacked into
        self._room = most_bytes
        self._folder: Closing | None = None
        self._count = 0
        self.notes: list[str] = []

    def opened(self, path: Path) -> Path:
        """Unpack the archive of a class and return the folder that it is in.

        Raises:
            UsageError: it cannot be unpacked.
            BrokenError: no folder can be made, or the disk is full.
        """
        from grader.intake.staging import StagingFolder  # needs fcntl, which is not everywhere

        if not isinstance(self._folder, StagingFolder):
            self._folder = StagingFolder()
            self._folder.path.chmod(0o700)  # all students' work; workers see what is staged only
        self._count += 1
        target = self._folder.path / f"class{self._count}" / stem(path)
        target.mkdir(parents=True)
        self._room -= unpack_class(path, target, self._room)
        self._archives[target] = path
        return target

    def source(self, origin: Origin) -> str:
        """Return where a hand-in lies: its path, which may go through archives."""
        path = origin.parts[0].path if isinstance(origin, Collected) else origin
        for folder, archive in self._archives.items():
            if path.is_relative_to(folder):
                return f"{self.source(archive)}/{path.relative_to(folder).as_posix()}"
        return str(path.resolve())

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._folder is not None:
            self._folder.close()


def find(
    arguments: Sequence[Path],
    modules: Sequence[str],
    classes: Classes | None = None,
    texts: Sequence[str] = (),
) -> list[tuple[str, Origin]]:
    """Return (id, where it is) of all submissions named on a command line.

    An argument is an archive, one file of code, a submission's folder, a folder of submissions (one
    that holds no module of the rubric itself while folders or archives in it do or are one), or
    what a platform lets download; a class may lie in further folders. With ``classes``, an archive
    may also hold a class.

    Args:
        arguments: what the command line names.
        modules: the modules that the rubric asks for.
        classes: unpacks archives of classes; None if there are none.
        texts: the other files that the rubric asks for.

    Raises:
        UsageError: an argument does not exist, is neither folder nor archive, or holds nothing.
    """
    asked = Asked(tuple(modules), tuple(texts))
    all_origins: list[Origin] = []
    for argument in arguments:
        # Of several, each archive is one student's, whatever it holds: a student's could hold
        # folders with the names of others.
        alone = len(arguments) == 1 or argument.is_dir()
        origins = _expand(argument, asked, classes if alone else None)
        if not origins:
            raise UsageError(f"{argument}: no submissions found")
        if classes is not None and list(origins) != [argument]:
            classes.notes += _left_out(argument, origins, asked)
        all_origins += origins
    found = identity.named(all_origins)
    if classes is not None:
        classes.contested = identity.contested(found)
        classes.sources = {one: classes.source(origin) for one, _base, origin in found}
    return [(identifier, origin) for identifier, _base, origin in found]


def _expand(path: Path, asked: Asked, classes: Classes | None) -> Sequence[Origin]:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if path.is_file():
        if not is_packed(path.name):
            return [_one_file(path, asked)]
        within = None
        if classes is not None and is_archive(path.name):
            within = _of_archive(path, asked, classes)
        return within or [single(path) or path]
    found = _of_folder(path, asked)
    if classes is not None:
        found = _of_archives(path, found, asked, classes) or found
    return [single(path) or path] if list(found) == [path] else found


def _one_file(path: Path, asked: Asked) -> Collected:
    """Return the submission that is one module, notebook or text, named on the command line.

    Raises:
        UsageError: it is another kind of file.
    """
    if not (loosened(path.name).endswith(CODE) or asked.named([path.name])):
        raise UsageError(
            f"{path}: a submission must be a folder, a .zip, a .tar.gz or one file of code"
        )
    return single(path) or Collected(safe_id(path.stem), (HandedInFile(path, path.name),))


def _of_archives(
    path: Path,
    found: Sequence[Origin],
    asked: Asked,
    classes: Classes,
    deeper: int = MAX_WRAPPERS,
) -> Sequence[Origin] | None:
    """Return the submissions of a folder with the archive of a class, or of its sections."""
    if len(found) == 1:
        archive = only_archive(_inside(path))
        return None if archive is None else _of_archive(path / archive, asked, classes, deeper)
    sections: list[Origin] = []
    for one in found:
        named = isinstance(one, Path) and is_archive(one.name) and SECTION.fullmatch(stem(one))
        if not (named and isinstance(one, Path)):
            return None
        within = _of_archive(one, asked, classes, deeper)
        if within is None:
            return None
        sections += within
    return sections


def _of_archive(
    path: Path, asked: Asked, classes: Classes, deeper: int = MAX_WRAPPERS
) -> Sequence[Origin] | None:
    """Return the submissions in the archive of a class; None if it is one student's.

    What a platform has named for a student is that student's, whatever it holds.
    """
    if is_named(path.name):
        return None
    members = list(_members(path))
    if places(members, asked):
        opened = classes.opened(path)
        found = _of_folder(opened, asked)
        parts = _of_archives(opened, found, asked, classes, deeper - 1) if deeper else None
        return parts or found
    if (beside := _beside_archives(path, members, asked, classes)) is not None:
        return beside
    inner = only_archive(members)
    if inner is None or deeper == 0:
        return None
    try:
        return _of_archive(classes.opened(path) / inner, asked, classes, deeper - 1)
    except (UsageError, OSError):  # staged as one submission, its report says what is wrong
        return None


def _of_folder(path: Path, asked: Asked) -> Sequence[Origin]:
    entries = _entries(path)
    files = _inside(path)
    loose = _strays(path, files, asked)
    if not loose and any(entry.is_file() and entry.name in asked.modules for entry in entries):
        return [path]
    entries = [entry for entry in entries if PurePosixPath(entry.name) not in loose]
    files = [file for file in files if file not in loose]
    within = places(files, asked)
    if any(place.parts for place in within):
        return [origin for place in within for origin in _handed_in(path / place, asked)]
    download = collected(path, entries)
    if download is not None:
        return download
    if asked.named([entry.name for entry in entries if entry.is_file()]):
        return [path]
    archives = [entry for entry in entries if entry.is_file() and is_packed(entry.name)]
    folders = [entry for entry in entries if entry.is_dir() and _may_be_handed_in(entry)]
    top, inner = split(files)
    # A text beside the only folder is one student's, who keeps the code in it.
    one = len(folders) == 1 and any(file.name.lower().endswith(OFFICE) for file in top)
    members = [Folder.of(folder.name, inner.get(folder.name, ())) for folder in folders]
    if archives or (not one and hold_submissions(members, asked)):
        return _spread(sorted(archives + folders), asked)
    return [path]


def _handed_in(path: Path, asked: Asked) -> Sequence[Origin]:
    """Return the submissions in a folder that is known to be that of a class."""
    entries = _entries(path)
    folders = [entry for entry in entries if entry.is_dir() and _may_be_handed_in(entry)]
    archives = [entry for entry in entries if entry.is_file() and is_packed(entry.name)]
    return collected(path, entries) or _spread(sorted(archives + folders), asked)


def _spread(members: Sequence[Path], asked: Asked) -> list[Origin]:
    """Return the submissions of a class, some of which may lie in a folder of their own."""
    found: list[Origin] = []
    for member in members:
        files = _inside(member) if member.is_dir() and len(members) > 1 else []
        within = gathered(member.name, files, asked)
        inner = [origin for place in within for origin in _handed_in(member / place, asked)]
        found += inner or [member]
    return found


def _strays(path: Path, files: Sequence[PurePosixPath], asked: Asked) -> frozenset[PurePosixPath]:
    """Return the files asked for that lie beside the submissions of a class, packed or not."""
    top, _folders = split(files)
    if not asked.named(file.name for file in top):
        return frozenset()
    archives = [file for file in top if is_archive(file.name)]
    packed = [file / member for file in archives for member in _members(path / file)]
    return strays([*(file for file in files if file not in archives), *packed], asked)


def _beside_archives(
    path: Path, members: Sequence[PurePosixPath], asked: Asked, classes: Classes
) -> Sequence[Origin] | None:
    """Return the submissions in an archive with archives and a stray file; None if there is none.

    Whether it is a class is in the inner archives, so it is unpacked to find out.
    """
    top, _folders = split(members)
    archives = [file for file in top if is_archive(file.name)]
    if len(archives) < 2 or not asked.named(file.name for file in top):  # noqa: PLR2004
        return None
    try:
        opened = classes.opened(path)
    except UsageError:  # staged as one submission, its report says what is wrong
        return None
    found = _of_folder(opened, asked)
    return None if list(found) == [opened] else found


def _left_out(argument: Path, origins: Sequence[Origin], asked: Asked) -> list[str]:
    """Say what in the folders with the submissions of a class is nobody's submission."""
    paths = [
        part.path
        for origin in origins
        for part in (origin.parts if isinstance(origin, Collected) else [HandedInFile(origin, "")])
    ]
    if paths == [argument]:
        return []
    named = set(paths)
    folders = {path.parent for path in paths} | {argument}
    strange = [
        entry
        for folder in sorted(folders)
        if folder.is_dir()
        for entry in sorted(folder.iterdir())
        if not _is_clutter(entry.name)
        and entry not in named
        and (not _is_usable(entry) or (entry.is_file() and asked.named([entry.name])))
    ]
    if not strange:
        return []
    told = [f"{shown(entry.name)} ({_kind(entry, asked)})" for entry in strange[:MAX_LEFT_OUT]]
    more = f" and {len(strange) - MAX_LEFT_OUT} more" if len(strange) > MAX_LEFT_OUT else ""
    return [f"{argument}: not graded: {', '.join(told)}{more}"]


def _is_usable(entry: Path) -> bool:
    try:
        return entry.is_file() or entry.is_dir()
    except OSError:  # staging it will say so
        return True


def _kind(entry: Path, asked: Asked) -> str:
    if entry.is_file():
        what = "module" if asked.modules_in([entry.name]) else "text"
        return f"a {what} beside the submissions of a class"
    return "a link to nothing" if entry.is_symlink() else "neither a file nor a folder"


def _entries(path: Path) -> list[Path]:
    try:
        entries = sorted(entry for entry in path.iterdir() if not _is_clutter(entry.name))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return [entry for entry in entries if _is_usable(entry)]


def _is_clutter(name: str) -> bool:
    return name in CLUTTER or name.startswith(FORK)


def _may_be_handed_in(folder: Path) -> bool:
    """Say whether a folder is neither hidden nor made by a tool for installed packages."""
    if is_made(folder.name):
        return False
    try:
        return not (folder / ENVIRONMENT_MARK).is_file()
    except PermissionError:  # staging it will say so
        return True


def _inside(folder: Path) -> list[PurePosixPath]:
    """Return the files of a folder, without what nobody handed in and what cannot be read."""
    found = []
    for parent, folders, names in os.walk(folder):
        inside = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        folders[:] = [
            f for f in folders if f not in CLUTTER and not installed_in((*inside.parts, f))
        ]
        folders.sort()  # of two students of one name, always the same one is the second
        if len(inside.parts) >= MAX_DEPTH:
            folders.clear()
        found += [
            inside / name
            for name in sorted(names)
            if not _is_clutter(name)
            and not (is_packed(name) and not _is_usable(Path(parent) / name))
        ]
    return found


def _members(path: Path) -> Iterator[PurePosixPath]:
    """Yield the paths of an archive's files, without what nobody handed in."""
    try:
        reader = zip_entries if is_zip(path) else tar_entries
        for name, _size, content in reader(path, MAX_CLASS_ENTRIES, lambda _name, _why: None):
            content.close()
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if parts and not CLUTTER & set(parts) and not parts[-1].startswith(FORK):
                yield PurePosixPath(*parts)
    except (TooMuchError, *DAMAGED):
        return  # staging it will say what is wrong
