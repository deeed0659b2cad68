"""Unpacks archives and copies folders to plain files in a folder.

Only regular files below the caps are written, each by a checked path. Links, devices and files that
would change how Python or pytest start are left out with a note.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.errors import BrokenError, UsageError
from grader.intake.archives import (
    DAMAGED,
    MIB,
    Entry,
    TooMuchError,
    shown,
    tar_entries,
    zip_entries,
)
from grader.intake.names import CLUTTER, ENVIRONMENT_MARK, OF_ENVIRONMENT, installed_in
from grader.intake.wrong_files import unread_archive
from grader.readers.texts import printable

MAX_DEPTH = 16
MAX_PATH_BYTES = 1000  # together with the staging folder, a path may have 4096
MAX_NOTES = 20  # for one submission; the rest are counted
MAX_PROBLEM = 300  # characters
A_LINK = "it is a link; if your work needs it, hand in what it links to"
NOT_A_FILE = "it is not a regular file"
NO_ZIP = "File is not a zip file"  # what zipfile says when it finds no end
# Python or pytest would load these just because they are there.
DROPPED_NAMES = frozenset(
    ["conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "sitecustomize.py"]
    + ["usercustomize.py"]
)
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK")
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")  # compressed tar archives begin like this
DROPPED_SUFFIXES = frozenset([".pth", ".so", ".pyd", ".pyc", ".pyo"])


@dataclass(frozen=True)
class Caps:
    """The most that is written. ``entries`` counts an archive's entries, even those left out."""

    files: int
    entries: int
    file_bytes: int
    total_bytes: int


CLASS = Caps(200_000, 400_000, 1024 * MIB, 16 * 1024 * MIB)  # hundreds of students' work


class Notes:
    """Notes about the intake of a submission, one line each, limited in number."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._more = 0
        self._files_only = True
        self._folders: set[str] = set()

    def add(self, text: str) -> None:
        """Note something."""
        if len(self._texts) < MAX_NOTES:
            self._texts.append(text)
        else:
            self._more += 1
            self._files_only = False

    def leave_out(self, name: str, why: str) -> None:
        """Note that the file ``name`` was left out."""
        if len(self._texts) < MAX_NOTES:
            self.add(f"{shown(name)} was left out: {why}")
        else:
            self._more += 1

    def leave_out_folder(self, name: str) -> None:
        """Note, once, that a folder of installed packages was left out."""
        if name not in self._folders and len(self._folders) < MAX_NOTES:
            self._folders.add(name)
            self.leave_out(name, "grading does not use installed packages")

    def told(self) -> tuple[str, ...]:
        """Return all notes, cut off with their number."""
        what = "files were left out" if self._files_only else "notes are not shown"
        more = f"{self._more} more {what}"
        return (*self._texts, *([more] if self._more else []))


def unpack(path: Path, target: Path, notes: Notes, caps: Caps) -> str | None:
    """Copy a folder's or an archive's files into ``target``; return what is wrong with it, if so.

    Raises:
        UsageError: it vanished or cannot be read.
        BrokenError: the disk is full or fails.
    """
    name = shown(path.resolve().name)
    try:
        if path.is_dir():
            entries = _from_folder(path, notes)
        elif why := unread_archive(_start(path)):
            return f"{name} cannot be unpacked: {why}"
        elif is_zip(path):
            entries = zip_entries(path, caps.entries, notes.leave_out)
        else:
            entries = tar_entries(path, caps.entries, notes.leave_out)
        with closing(entries):
            copy(entries, target, notes, caps)
    except FileNotFoundError:
        where = printable(str(path), MAX_PROBLEM)
        raise UsageError(f"{where}: vanished while it was read") from None
    except PermissionError as error:
        where = printable(str(error.filename or path), MAX_PROBLEM)
        raise UsageError(f"{where}: cannot be read: {error.strerror}") from None
    except TooMuchError as error:
        return f"{name} was not unpacked: {error}"
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            # A damaged archive has no error number, or that of a seek before its start.
            raise BrokenError(f"cannot copy {name}: {error.strerror}") from None
        why = printable(" ".join(str(error).split()), MAX_PROBLEM) or type(error).__name__
        if isinstance(error, EOFError) or why == NO_ZIP:
            why = "it is cut off or damaged: pack it again and upload the new archive"
        return f"{name} cannot be unpacked: {why}"
    return None


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def is_zip(path: Path) -> bool:
    """Say whether an archive is a zip, even if its name says otherwise, as happens on Windows.

    Raises:
        OSError: it cannot be read.
    """
    start = _start(path)
    named = path.name.lower().endswith(".zip")
    return start.startswith(ZIP) or (named and not start.startswith(COMPRESSED))


def copy(entries: Generator[Entry, None, None], target: Path, notes: Notes, caps: Caps) -> None:
    """Write entries (name, announced size, content) below ``target``, within all caps.

    Raises:
        TooMuchError: they exceed a cap.
    """
    # What another part of the same submission has already written counts as well.
    there = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    count, total = len(there), sum(there)
    for name, size, content in entries:
        with closing(content):
            parts = _checked(name, notes)
            if parts is None:
                continue
            count += 1
            if count > caps.files:
                raise TooMuchError(f"it holds more than {caps.files} files")
            destination = target.joinpath(*parts)
            try:
                destination.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                notes.leave_out(name, "a file and a folder have the same name")
                continue
            if destination.exists():
                notes.leave_out(name, "it appears twice; the first one counts")
                continue
            room = min(caps.file_bytes, caps.total_bytes - total)
            written = 0
            with destination.open("xb") as file:
                # The announced size of an archive's member may be a lie: count what comes out.
                while chunk := content.read(min(MIB, room - written + 1)):
                    written += len(chunk)
                    if written > room:
                        limit = caps.file_bytes if room == caps.file_bytes else caps.total_bytes
                        beyond = f"exceeds the limit of {limit / MIB:.4g} MiB"
                        raise TooMuchError(f"{shown(name)} ({size} bytes) {beyond}")
                    file.write(chunk)
            total += written


def _checked(name: str, notes: Notes) -> tuple[str, ...] | None:
    """Return the parts of a safe relative path; None, with a note, for a file left out."""
    path = PurePosixPath(name.replace("\\", "/"))
    packages = installed_in(path.parts[:-1])
    if packages is not None:
        notes.leave_out_folder(packages)
    if packages or any(part in CLUTTER for part in path.parts) or path.name.startswith("._"):
        return None
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or ":" in name:
        notes.leave_out(name, "its path leads out of the submission")
        return None
    try:
        sizes = [len(part.encode()) for part in path.parts]
    except UnicodeEncodeError:
        notes.leave_out(name, "its name is not UTF-8")
        return None
    if len(sizes) > MAX_DEPTH or max(sizes) > 255 or sum(sizes) > MAX_PATH_BYTES:  # noqa: PLR2004
        notes.leave_out(name, "it is nested too deeply or its name is too long")
        return None
    if path.name.lower() in DROPPED_NAMES or path.suffix.lower() in DROPPED_SUFFIXES:
        notes.leave_out(name, "grading does not use files of this kind")
        return None
    return path.parts


def _raise(error: OSError) -> None:
    raise error


def _from_folder(folder: Path, notes: Notes) -> Generator[Entry, None, None]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        inside = Path(parent).relative_to(folder)
        folders[:] = _of_interest(inside, folders, names, notes)
        if len(inside.parts) >= MAX_DEPTH and folders:
            deeper = f"{inside.as_posix()}/{folders[0]}"
            notes.leave_out(deeper, "it is nested too deeply or its name is too long")
            folders.clear()
        for name in [*folders]:
            if (Path(parent) / name).is_symlink():
                relative = (Path(parent) / name).relative_to(folder).as_posix()
                notes.leave_out(relative, A_LINK)
        for name in sorted(names):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            # O_NOFOLLOW and fstat of the open file: the file that was checked is the one read.
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if isinstance(error, PermissionError):
                    raise
                notes.leave_out(relative, A_LINK if path.is_symlink() else NOT_A_FILE)
                continue
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                os.close(fd)
                notes.leave_out(relative, NOT_A_FILE)
                continue
            yield relative, os.fstat(fd).st_size, os.fdopen(fd, "rb")


def _of_interest(
    inside: Path, folders: Sequence[str], names: Sequence[str], notes: Notes
) -> list[str]:
    """Return the folders to search, which are neither clutter nor installed packages."""
    passed_over = OF_ENVIRONMENT if ENVIRONMENT_MARK in names else frozenset()
    found = []
    for name in sorted(set(folders) - CLUTTER):
        path = inside / name
        if name.lower() in passed_over or installed_in(path.parts) is not None:
            notes.leave_out_folder(path.as_posix())
        else:
            found.append(name)
    return found


def unpack_class(path: Path, target: Path, room: int = CLASS.total_bytes) -> int:
    """Unpack the archive of a class; return how many bytes came out.

    Args:
        path: the archive.
        target: the folder to unpack into.
        room: the most bytes that may come out, whatever the archive says of its files.

    Raises:
        UsageError: it cannot be unpacked, or holds more.
        BrokenError: the disk is full or fails.
    """
    caps = replace(CLASS, file_bytes=min(CLASS.file_bytes, room), total_bytes=room)
    problem = unpack(path, target, Notes(), caps)
    if problem is not None:
        more = ", or raise the limit with --max-class-gb" if "exceeds the limit" in problem else ""
        raise UsageError(f"{problem}: unpack it yourself and name the folder{more}")
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
