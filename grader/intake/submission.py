"""Intake: turns what a student handed in into a staged folder of plain, read-only files.

Only regular files below the caps are copied, each by a checked path. Links, devices and files that
would change how Python or pytest start are left out with a note. Nothing is imported or executed
here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path

from grader.errors import BrokenError, UsageError
from grader.intake import notebook, weights
from grader.intake.archives import MIB, Entry, TooMuchError, shown
from grader.intake.classes import Classes, find
from grader.intake.downloads import Collected, HandedInFile, Student
from grader.intake.layouts import Origin
from grader.intake.names import CLUTTER, is_archive, safe_id, stem
from grader.intake.places import CODE, Places, Wanted, contents, home, locate, near
from grader.intake.sources import MAX_REPAIRED_BYTES, repaired
from grader.intake.texts import locate_texts
from grader.intake.unpacking import MAX_NOTES, Caps, Notes, copy, unpack
from grader.intake.wrong_files import remedy

__all__ = [
    "CLUTTER", "MAX_NOTES", "Classes", "Origin", "Student", "Submission", "find", "safe_id",
    "stage", "stem",
]  # fmt: skip

MAX_FILES = 2000
MAX_FILE_BYTES = 64 * MIB  # a trained network is the largest thing that homework hands in
MAX_TOTAL_BYTES = 256 * MIB
MAX_ENTRIES = 50_000  # of an archive, with all that is left out, such as installed packages
MAX_NAMES_SHOWN = 8
MAX_NESTED = 3  # archives within archives that are unpacked


def caps() -> Caps:
    """Return the most that one submission may hold."""
    return Caps(MAX_FILES, MAX_ENTRIES, MAX_FILE_BYTES, MAX_TOTAL_BYTES)


@dataclass(frozen=True)
class Submission:
    """A staged submission.

    Attributes:
        id: the name of its report folder.
        folder: where its modules are staged.
        files: the staged files, relative to ``folder``.
        sha256: over the names and contents of the staged files.
        notes: what was left out and why.
        problem: set if nothing could be staged, for instance a damaged archive.
        places: where the requested files are, and why some cannot be used.
        student: who handed it in, if the platform's download says so.
        called: what messages call it.
        everything: all that was handed in, relative to its top, if some of it lies outside
            ``folder``.
    """

    id: str
    folder: Path
    files: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    problem: str | None = None
    places: Places = field(default_factory=Places)
    student: Student | None = None
    called: str = "the submission"
    everything: tuple[str, ...] = ()
    _missing: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def path_of(self, name: str) -> str:
        """Return where a requested file is, relative to ``folder``."""
        found = self.places.found.get(name)
        return name if found is None else found.path

    def shown(self, name: str) -> str:
        """Return how messages name a requested file: as it was handed in."""
        found = self.places.found.get(name)
        return name if found is None else found.shown

    def missing(self, module: str) -> str:
        """Say that ``module`` is missing, and what is there instead."""
        # Checks of documents ask for the same few names again and again.
        if module not in self._missing:
            self._missing[module] = self._why_missing(module)
        return self._missing[module]

    def _why_missing(self, module: str) -> str:
        if self.problem is not None:
            return self.problem
        if module in self.places.obstacles:
            return self.places.obstacles[module][1]
        files = self.everything or self.files
        if not files:
            return f"{module} is not in {self.called}, which holds no files at all"
        # Other requested files are where they belong.
        free = [f for f in files if f.rpartition("/")[2] not in self.places.asked]
        close = near(module, free)
        hint = f"; did you mean {shown(close)}? Rename it to {module}" if close else ""
        hint = hint or remedy(module, files)
        return f"{module} is not in {self.called} (it holds {self._told()}){hint}"

    def _told(self) -> str:
        """Return the names of what was handed in for a message, those nearest to the top first."""
        names = sorted(self.everything, key=lambda name: name.count("/"))
        names = names or [name for name in self.files if name.count("/") == 0]
        prefix = "" if names else "only files in folders, such as "
        names = names or list(self.files)
        told = ", ".join(shown(name) for name in names[:MAX_NAMES_SHOWN])
        more = len(names) - MAX_NAMES_SHOWN
        return f"{prefix}{told} and {more} more" if more > 0 else f"{prefix}{told}"


def stage(
    identifier: str,
    path: Origin,
    target: Path,
    modules: Wanted | Sequence[str],
    supplied: Sequence[Path] = (),
    others: Sequence[str] = (),
) -> Submission:
    """Copy a submission into the new folder ``target`` and return it.

    Helper files that the assignment supplies replace the student's copies of them, which may have
    been edited: only the student's own files are listed and count for the digest. Source text that
    Python could not decode is rewritten, notebooks become modules, and files in other folders are
    found; ``files`` and the digest describe what was handed in.

    A damaged or oversized submission is staged empty with its ``problem``: that is the student's
    result, not the grader's error.

    Args:
        identifier: the name of its report folder.
        path: what was handed in.
        target: the folder to make.
        modules: the modules that are asked for, with the functions that are asked of each.
        supplied: the files that the assignment supplies.
        others: further files that are asked for, such as a text.

    Raises:
        UsageError: the submission vanished or cannot be read.
        BrokenError: the disk is full or fails.
    """
    notes = Notes()
    origin = (
        path if isinstance(path, Collected) else Collected(identifier, (HandedInFile(path, ""),))
    )
    for told in origin.notes:
        notes.add(told)
    try:
        target.mkdir(parents=True)
        problem = _gather(origin, target, notes)
        if problem is not None:
            shutil.rmtree(target)
            target.mkdir()
        asked = modules if isinstance(modules, Mapping) else dict.fromkeys(modules, ())
        made = settle(identifier, target, asked, others, supplied, notes)
        _protect(target)
    except OSError as error:
        name = shown(origin.parts[0].path.resolve().name)
        raise BrokenError(f"cannot copy {name}: {error.strerror}") from None
    return replace(made, problem=problem, student=origin.student)


def settle(
    identifier: str,
    target: Path,
    modules: Wanted,
    others: Sequence[str],
    supplied: Sequence[Path],
    notes: Notes,
) -> Submission:
    """Make a submission from ``target``: find, repair and convert the requested files.

    Args:
        identifier: the name of its report folder.
        target: where everything was copied.
        modules: the modules that are asked for, with the functions that are asked of each.
        others: further files that are asked for.
        supplied: the assignment's own files, which take the place of the student's copies.
        notes: takes what is worth telling.

    Raises:
        OSError: the disk is full or fails.
    """
    _rename_folders(target, [*modules, *others], notes)
    folder = home(target, list(modules))
    files = sorted(_files(folder))
    everything = () if folder == target else tuple(sorted(_files(target)))
    places = Places(frozenset([*modules, *others]))
    locate_texts(target, folder, others, places, notes.add)
    outside = {place.path for place in places.found.values() if place.path.startswith("../")}
    digest = _digest(folder, [*files, *sorted(outside)])
    _repair(folder, files, notes)
    if told_of_weights := weights.note(folder, files, supplied):
        notes.add(told_of_weights)
    locate(folder, files, modules, places, notes.add)
    notebook.put_modules(folder, files, modules)
    used = {(folder / place.path).parent for name, place in places.found.items() if name in modules}
    for beside in sorted({folder, *used}):
        _put_supplied(supplied, beside, notes)
    told = notes.told()
    return Submission(
        identifier, folder, tuple(files), digest, told, places=places, everything=everything
    )


def _rename_folders(target: Path, names: Sequence[str], notes: Notes) -> None:
    """Rename folders that are called like a file that is asked for: the file takes that name."""
    wanted = {name.casefold() for name in names}
    for parent, folders, _files_there in os.walk(target):
        for index, name in enumerate(folders):
            if name.casefold() in wanted:
                new = f"{name}_folder"
                while (Path(parent) / new).exists():
                    new += "_"
                (Path(parent) / name).rename(Path(parent) / new)
                folders[index] = new
                notes.add(f"{shown(name)} is a folder, not a file; it was renamed to {shown(new)}")


def _gather(origin: Collected, target: Path, notes: Notes) -> str | None:
    """Copy all parts of a submission into ``target``; return what is wrong with it, if so."""
    problem = None
    for part in origin.parts:
        if part.path.is_file() and not is_archive(part.path.name):
            problem = _copy_file(part, target, notes, caps())
        else:
            problem = unpack(part.path, target, notes, caps())
        if problem is not None:
            return problem
    for _level in range(MAX_NESTED):
        packed = _archives_alone(target)
        if not packed:
            break
        if len(contents(target, packed)) > 1:
            told = ", ".join(shown(name) for name in packed[:MAX_NAMES_SHOWN])
            return (
                f"{shown(origin.parts[0].path.resolve().name)} holds archives and no code: {told}: "
                "hand in the files themselves or one archive of them (to grade a whole class, pass "
                "its archive to grader grade)"
            )
        problem = _unpack_inner(target, packed[0], notes, caps())
        if problem is not None:
            return problem
    return None


def _copy_file(part: HandedInFile, target: Path, notes: Notes, caps: Caps) -> str | None:
    try:
        file = part.path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"{part.path}: vanished while it was read") from None
    except PermissionError as error:
        raise UsageError(f"{part.path}: cannot be read: {error.strerror}") from None
    with file, closing(_only(part, file)) as entries:
        try:
            copy(entries, target, notes, caps)
        except TooMuchError as error:
            return f"{shown(part.path.name)} was not copied: {error}"
    return None


def _only(part: HandedInFile, file: BufferedReader) -> Generator[Entry, None, None]:
    yield part.name or part.path.name, part.path.stat().st_size, file


def _archives_alone(folder: Path) -> list[str]:
    """Return the archives in a folder that holds no code outside of them."""
    files = sorted(_files(folder))
    if any(name.lower().endswith(CODE) for name in files):
        return []
    packed = [name for name in files if is_archive(name)]
    return packed if len(packed) == 1 or len(packed) == len(files) else []


def _unpack_inner(target: Path, name: str, notes: Notes, caps: Caps) -> str | None:
    """Put the contents of an archive in its place."""
    with tempfile.TemporaryDirectory(prefix="inner-", dir=target.parent) as aside:
        inner = Path(aside) / Path(name).name
        (target / name).rename(inner)
        notes.add(f"{shown(name)}, an archive in the submission, was unpacked")
        return unpack(inner, (target / name).parent, notes, caps)


def _repair(folder: Path, files: Sequence[str], notes: Notes) -> None:
    """Rewrite source text that Python would not decode."""
    for name in files:
        path = folder / name
        if name.lower().endswith(".py") and path.stat().st_size <= MAX_REPAIRED_BYTES:
            better = repaired(shown(name), path.read_bytes())
            if better is not None:
                path.write_bytes(better.data)
                notes.add(better.note)


def _digest(folder: Path, files: Sequence[str]) -> str:
    """Return the SHA-256 over the names and contents of files."""
    digest = hashlib.sha256()
    for name in files:
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _protect(target: Path) -> None:
    """Make what is staged readable for everybody and writable for nobody."""
    for parent, folders, names in os.walk(target):
        for below in folders:
            (Path(parent) / below).chmod(0o755)
        for below in names:
            (Path(parent) / below).chmod(0o444)
    target.chmod(0o755)


def _put_supplied(supplied: Sequence[Path], folder: Path, notes: Notes) -> None:
    """Copy the supplied files over whatever has their names, and say where that mattered."""
    for file in supplied:
        place = folder / file.name
        content = file.read_bytes()
        if place.is_dir():
            shutil.rmtree(place)
        if place.is_file() and _unix(place.read_bytes()) != _unix(content):
            notes.add(f"{file.name} is supplied with the homework: your changes do not count")
        place.write_bytes(content)


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()
