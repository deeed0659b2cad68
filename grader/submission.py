"""Intake: what a student handed in becomes a staged folder of plain, read-only files.

Only regular files below the caps are copied, each by a path that was checked; links, devices and
files that would change how Python or pytest start are left out with a note. Nothing is imported or
executed here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.archives import DAMAGED, MIB, Entry, TooMuchError, shown, tar_entries, zip_entries
from grader.errors import BrokenError, UsageError
from grader.texts import printable

MAX_FILES = 2000
MAX_FILE_BYTES = 64 * MIB  # a trained network is the largest thing that homework hands in
MAX_TOTAL_BYTES = 256 * MIB
MAX_ENTRIES = 2 * MAX_FILES  # of an archive, with all that is left out
MAX_DEPTH = 16
MAX_PATH_BYTES = 1000  # with the folder for staging in front, a path may have 4096
MAX_NAMES_SHOWN = 8
MAX_NOTES = 20  # files that are left out are named; the rest is counted
MAX_PROBLEM = 300  # characters
RESERVED_IDS = ("gradebook.csv", "index.html")  # files beside the report folders
ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
# These would be picked up by Python or pytest by their mere presence.
DROPPED_NAMES = frozenset(
    ["conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "sitecustomize.py"]
    + ["usercustomize.py"]
)
DROPPED_SUFFIXES = frozenset([".pth", ".so", ".pyd", ".pyc", ".pyo"])
CLUTTER = frozenset(["__pycache__", "__MACOSX", ".git", ".DS_Store", ".ipynb_checkpoints", ".idea"])


class _Notes:
    """What is told about the intake of a submission, a line each and not without end."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._more = 0

    def add(self, text: str) -> None:
        self._texts.append(text)

    def leave_out(self, name: str, why: str) -> None:
        """Note that the file ``name`` was left out."""
        if len(self._texts) < MAX_NOTES:
            self.add(f"{shown(name)} was left out: {why}")
        else:
            self._more += 1

    def told(self) -> tuple[str, ...]:
        more = f"{self._more} more files were left out"
        return (*self._texts, *([more] if self._more else []))


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
    """

    id: str
    folder: Path
    files: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    problem: str | None = None

    def missing(self, module: str) -> str:
        """Say that ``module`` is missing, and what is there instead."""
        if self.problem is not None:
            return self.problem
        names = [name for name in self.files if name.count("/") == 0]
        if not self.files:
            return f"{module} is not in the submission, which holds no files at all"
        named = [shown(name) for name in names[:MAX_NAMES_SHOWN]]
        told = ", ".join(named) or f"only files in folders: {shown(self.files[0])}"
        more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
        return f"{module} is not in the submission (it holds {told}{more})"


def stem(path: Path) -> str:
    """Return a submission's name without its archive suffix."""
    for suffix in ARCHIVES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def safe_id(name: str) -> str:
    """Return ``name`` as a folder name: nothing that a shell, a browser or a path misreads."""
    cleaned = re.sub(r"[^\w.@+-]+", "_", name).strip("._")
    return cleaned[:100] or "submission"


def find(arguments: Sequence[Path], modules: Sequence[str]) -> list[tuple[str, Path]]:
    """Return (id, path) of all submissions named on a command line.

    An argument is an archive, a submission's folder, or a folder of submissions: one that holds no
    module of the rubric itself while a folder or archive in it does or is one.

    Raises:
        UsageError: an argument does not exist or is neither folder nor archive.
    """
    found: list[tuple[str, Path]] = []
    taken: set[str] = set(RESERVED_IDS)
    for argument in arguments:
        for path in _expand(argument, modules):
            base = identifier = safe_id(stem(path.resolve()))
            number = 1
            while identifier.lower() in taken:
                number += 1
                identifier = f"{base}-{number}"
            taken.add(identifier.lower())
            found.append((identifier, path))
    return found


def _expand(path: Path, modules: Sequence[str]) -> list[Path]:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    if path.is_file():
        if not path.name.lower().endswith(ARCHIVES):
            raise UsageError(f"{path}: a submission is a folder, a .zip or a .tar.gz")
        return [path]
    try:
        entries = sorted(entry for entry in path.iterdir() if entry.name not in CLUTTER)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if any(entry.name in modules for entry in entries):
        return [path]
    archives = [e for e in entries if e.is_file() and e.name.lower().endswith(ARCHIVES)]
    folders = [e for e in entries if e.is_dir() and not e.name.startswith(".")]
    if archives or any(_holds_module(folder, modules) for folder in folders):
        return sorted(archives + folders)
    return [path]


def _holds_module(folder: Path, modules: Sequence[str]) -> bool:
    """Say whether a folder holds a module of the rubric, at most one folder further down."""
    return any((folder / name).is_file() or any(folder.glob(f"*/{name}")) for name in modules)


def stage(
    identifier: str,
    path: Path,
    target: Path,
    modules: Sequence[str],
    supplied: Sequence[Path] = (),
) -> Submission:
    """Copy a submission into the new folder ``target`` and return it.

    Helper files that the assignment supplies take the place of the student's copies of them, which
    may have been edited: only the student's own files are listed and count for the digest.

    A damaged or oversized submission is staged empty with its ``problem``: that is the student's
    result, not an error of ours.

    Raises:
        UsageError: the submission vanished or cannot be read.
        BrokenError: the disk is full or fails.
    """
    notes = _Notes()
    try:
        target.mkdir(parents=True)
        problem = _unpack(path, target, notes)
        if problem is not None:
            shutil.rmtree(target)
            target.mkdir()
        folder = _home(target, modules)
        files = sorted(_files(folder))
        digest = _digest(folder, files)
        _put_supplied(supplied, folder, notes)
        _protect(target)
    except OSError as error:
        name = shown(path.resolve().name)
        raise BrokenError(f"{name} cannot be staged: {error.strerror}") from None
    return Submission(identifier, folder, tuple(files), digest, notes.told(), problem)


def _digest(folder: Path, files: Sequence[str]) -> str:
    """Return the SHA-256 over the names and contents of files."""
    digest = hashlib.sha256()
    for name in files:
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _protect(target: Path) -> None:
    """Let everybody read what is staged, and nobody write it."""
    for parent, folders, names in os.walk(target):
        for below in folders:
            (Path(parent) / below).chmod(0o755)
        for below in names:
            (Path(parent) / below).chmod(0o444)
    target.chmod(0o755)


def _put_supplied(supplied: Sequence[Path], folder: Path, notes: _Notes) -> None:
    """Copy the assignment's helpers over whatever has their names, and say where that mattered."""
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


def _unpack(path: Path, target: Path, notes: _Notes) -> str | None:
    """Copy a submission's files into ``target``; return what prevents it, if that is theirs."""
    name = shown(path.resolve().name)
    try:
        if path.is_dir():
            entries = _from_folder(path, notes)
        elif path.name.lower().endswith(".zip"):
            entries = zip_entries(path, MAX_ENTRIES, notes.leave_out)
        else:
            entries = tar_entries(path, MAX_ENTRIES, notes.leave_out)
        with closing(entries):
            _copy(entries, target, notes)
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
            # A damaged archive has no error number, or that of a seek to a place before its start.
            raise BrokenError(f"{name} cannot be staged: {error.strerror}") from None
        why = printable(" ".join(str(error).split()), MAX_PROBLEM) or type(error).__name__
        return f"{name} cannot be unpacked: {why}"
    return None


def _home(target: Path, modules: Sequence[str]) -> Path:
    """Return the folder of the modules: the top, or the only folder that holds any of them."""
    if any((target / name).is_file() for name in modules):
        return target
    homes = {found.parent for name in modules for found in target.rglob(name) if found.is_file()}
    shallowest = min((len(home.parts) for home in homes), default=0)
    candidates = [home for home in homes if len(home.parts) == shallowest]
    return candidates[0] if len(candidates) == 1 else target


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def _copy(entries: Generator[Entry, None, None], target: Path, notes: _Notes) -> None:
    """Write entries (name, announced size, content) below ``target``, within all caps."""
    count = total = 0
    for name, size, content in entries:
        with closing(content):
            parts = _checked(name, notes)
            if parts is None:
                continue
            count += 1
            if count > MAX_FILES:
                raise TooMuchError(f"it holds more than {MAX_FILES} files")
            destination = target.joinpath(*parts)
            try:
                destination.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                notes.leave_out(name, "a file has the name of its folder")
                continue
            if destination.exists():
                notes.leave_out(name, "it appears twice; the first one counts")
                continue
            room = min(MAX_FILE_BYTES, MAX_TOTAL_BYTES - total)
            written = 0
            with destination.open("xb") as file:
                # The announced size of an archive's member may be a lie: count what comes out.
                while chunk := content.read(min(MIB, room - written + 1)):
                    written += len(chunk)
                    if written > room:
                        limit = MAX_FILE_BYTES if room == MAX_FILE_BYTES else MAX_TOTAL_BYTES
                        beyond = f"goes beyond the limit of {limit // MIB} MiB"
                        raise TooMuchError(f"{shown(name)} ({size} bytes) {beyond}")
                    file.write(chunk)
            total += written


def _checked(name: str, notes: _Notes) -> tuple[str, ...] | None:
    """Return the parts of a safe relative path; None, with a note, for what is left out."""
    path = PurePosixPath(name.replace("\\", "/"))
    if any(part in CLUTTER for part in path.parts) or path.name.startswith("._"):
        return None
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or ":" in name:
        notes.leave_out(name, "not a path inside the submission")
        return None
    try:
        sizes = [len(part.encode()) for part in path.parts]
    except UnicodeEncodeError:
        notes.leave_out(name, "its name is not UTF-8")
        return None
    if len(sizes) > MAX_DEPTH or max(sizes) > 255 or sum(sizes) > MAX_PATH_BYTES:  # noqa: PLR2004
        notes.leave_out(name, "nested too deeply, or too long a name")
        return None
    if path.name.lower() in DROPPED_NAMES or path.suffix.lower() in DROPPED_SUFFIXES:
        notes.leave_out(name, "files of this kind are not used in grading")
        return None
    return path.parts


def _raise(error: OSError) -> None:
    raise error


def _from_folder(folder: Path, notes: _Notes) -> Generator[Entry, None, None]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if name not in CLUTTER)
        if len(Path(parent).relative_to(folder).parts) >= MAX_DEPTH and folders:
            inside = Path(parent).relative_to(folder).as_posix()
            notes.leave_out(f"{inside}/{folders[0]}", "nested too deeply, or too long a name")
            folders.clear()
        for name in [*folders]:
            if (Path(parent) / name).is_symlink():
                relative = (Path(parent) / name).relative_to(folder).as_posix()
                notes.leave_out(relative, "it is a link")
        for name in sorted(names):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            # O_NOFOLLOW and fstat of the open file: what was checked is what is read.
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if isinstance(error, PermissionError):
                    raise
                notes.leave_out(relative, "it is a link or no regular file")
                continue
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                os.close(fd)
                notes.leave_out(relative, "it is no regular file")
                continue
            yield relative, os.fstat(fd).st_size, os.fdopen(fd, "rb")
