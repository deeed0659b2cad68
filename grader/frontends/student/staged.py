"""Intake on a student's own machine: the folder is read in place, its code staged as for grading.

A folder that a student works in is not a submission yet. It may hold a virtual environment of
thirty thousand files, a data set, old versions. Copying it whole would take longer than the checks,
and running in it without a copy would need a second way to find files, to read encodings and to run
notebooks. So only code and the files that the rubric asks for are copied, a few small ones, into a
temporary folder; there the intake that grading uses does the rest. Code is imported from that
folder, but its working directory and every ``__file__`` are the student's own
(``isolation/worker/plain.py``), so that data beside it is found where it lies, whatever its size,
and only code is ever copied.

Nothing here needs anything that only some operating systems have.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections import deque
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from grader.errors import BrokenError, Closing, UsageError
from grader.intake.archives import Entry, TooMuchError, shown
from grader.intake.names import (
    CLUTTER,
    ENVIRONMENT_MARK,
    OF_ENVIRONMENT,
    REPLAYED,
    installed_in,
)
from grader.intake.notebook import SUFFIX, assembled
from grader.intake.places import CODE, Slot, Wanted, is_meant, loosened
from grader.intake.submission import Submission, caps, settle
from grader.intake.unpacking import MAX_DEPTH, Notes, copy

PREFIX = "check-"
MAX_LISTED = 5000  # entries of all folders within: looking at them takes a laptop 0.1 s
MAX_IN_FOLDER = 1000  # of these, in one: nobody keeps code in a folder of so many pictures
RECORDED = ("recorded", "checks.json")  # the folder of a bundle that holds no work
FROM_FILE = "_file"  # ends the name of a file whose place a notebook has taken


@dataclass(frozen=True)
class LiveModule:
    """The cells of an open notebook, as Python, with the numbers by which it shows them."""

    notebook: str
    cells: tuple[tuple[int, str], ...]

    def over(self, file: str | None) -> str:
        """Return the text of the module, with what the module ``file`` defines below it."""
        names = f"vars(__import__({file!r})).items() if k[:2] != '__'"
        below = f"globals().update({{k: v for k, v in {names}}})"
        cells = [*([(0, below)] if file else []), *self.cells]
        numbers, texts = zip(*cells, strict=True)
        return assembled(texts, self.notebook, numbers)


NO_LIVE: Mapping[str, LiveModule] = MappingProxyType({})


@dataclass(frozen=True)
class FileListing:
    """The files of a student's folder, by paths relative to it, and whether these are all."""

    files: tuple[str, ...]
    complete: bool


def listed(folder: Path) -> FileListing:
    """Return the files of a folder, nearest to its top first.

    All of the top are listed, and of the folders within at most ``MAX_LISTED`` entries, code first.
    Links, hidden folders and installed packages are passed over.

    Raises:
        UsageError: the folder is gone.
    """
    files: list[str] = []
    waiting = deque([""])
    seen = 0
    complete = True
    while waiting:
        parent = waiting.popleft()
        entries = _entries_of(folder, parent)
        is_environment = any(entry.name == ENVIRONMENT_MARK for entry in entries)
        passed_over = OF_ENVIRONMENT if is_environment else frozenset()
        if parent:
            room = min(MAX_IN_FOLDER, MAX_LISTED - seen)
            seen += len(entries)
            complete = complete and len(entries) <= room
            del entries[max(0, room) :]
        for entry in entries:
            path = f"{parent}/{entry.name}" if parent else entry.name
            if entry.name in CLUTTER or entry.is_symlink():
                continue
            if entry.is_file():
                files.append(path)
            elif _may_hold_work(entry, path) and entry.name.lower() not in passed_over:
                waiting.append(path)
        if seen > MAX_LISTED:
            break
    return FileListing(tuple(files), complete and not waiting)


def _entries_of(folder: Path, parent: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder within; nothing if it cannot be read, or holds no work."""
    try:
        with os.scandir(folder / parent) as found:
            entries = sorted(found, key=_rank)
    except OSError as error:
        if parent:
            return []
        raise UsageError(f"{folder}: cannot be read: {error.strerror}") from None
    names = {entry.name for entry in entries}
    return [] if _is_recorded(parent, names) or names.issuperset(REPLAYED) else entries


def _rank(entry: os.DirEntry[str]) -> tuple[bool, str]:
    return not entry.name.lower().endswith(CODE), entry.name


def _is_recorded(parent: str, names: Collection[str]) -> bool:
    return parent == RECORDED[0] and RECORDED[1] in names


def _may_hold_work(entry: os.DirEntry[str], path: str) -> bool:
    parts = path.split("/")
    hidden = entry.name.startswith(".") or len(parts) > MAX_DEPTH
    return entry.is_dir() and not hidden and installed_in(parts) is None


class StudentFolder(Closing):
    """A student's own folder, whose code is staged for as long as it is checked.

    Attributes:
        submission: what was staged; its ``files`` are all files of the folder.
        prefix: the folder of the submission, relative to the student's; empty at its top.

    Args:
        folder: the student's.
        modules: the modules that are asked for, with the functions that are asked of each.
        others: further files that are asked for.
        supplied: the files that the homework supplies.
        live: modules that take the place of files, by name: they are in a notebook that is open.

    Raises:
        UsageError: the folder is gone.
        BrokenError: nothing can be written to the folder for temporary files.
    """

    def __init__(
        self,
        folder: Path,
        modules: Wanted,
        others: Sequence[str],
        supplied: Sequence[Path] = (),
        live: Mapping[str, LiveModule] = NO_LIVE,
    ) -> None:
        there = listed(folder)
        try:
            self._staged = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
            target = Path(self._staged.name).resolve()
            made = _staged(folder, there, target, (modules, others), supplied)
            for name, module in live.items():
                made = _with_live(made, name, module)
        except OSError as error:
            where = tempfile.gettempdir()
            raise BrokenError(f"{where}: cannot write there: {error.strerror}") from None
        self.prefix = made.folder.relative_to(target).as_posix().removeprefix(".")
        start = f"{self.prefix}/" if self.prefix else ""
        files = (file.removeprefix(start) for file in there.files if file.startswith(start))
        # No message should ask to rename the homework's layers.py to rnn_layers.py.
        names = {file.name for file in supplied}
        places = replace(made.places, asked=made.places.asked | names)
        everything = there.files if self.prefix else ()
        self.submission = replace(
            made, files=tuple(files), places=places, called="this folder", everything=everything
        )
        self.works_in = folder / self.prefix

    def named(self, file: str) -> str:
        """Return a file of the submission by its path in the student's folder."""
        return posixpath.normpath(f"{self.prefix}/{file}") if self.prefix else file

    def close(self) -> None:
        """Remove what was staged."""
        self._staged.cleanup()


def _staged(
    folder: Path,
    there: FileListing,
    target: Path,
    asked: tuple[Wanted, Sequence[str]],
    supplied: Sequence[Path],
) -> Submission:
    modules, others = asked
    notes = Notes()
    if not there.complete:
        notes.add("this folder holds thousands of files: not all folders in it were looked at")
    wanted = [name for name in there.files if _is_wanted(name, others)]
    problem = None
    with closing(_entries(folder, wanted, notes)) as entries:
        try:
            copy(entries, target, notes, caps())
        except TooMuchError as error:
            problem = f"this folder cannot be checked: {error}"
    # A helper that lies in this very folder is there already.
    elsewhere = [file for file in supplied if file.is_file()]
    made = settle("submission", target, modules, others, elsewhere, notes)
    return replace(made, problem=problem)


def _with_live(made: Submission, name: str, module: LiveModule) -> Submission:
    """Put the module of an open notebook in the place of the file of its name.

    What the file defines is there as well: a notebook may define some of the functions only.
    """
    earlier = made.folder / made.path_of(name)
    slot = made.places.found.get(name)
    saved = slot is not None and slot.source.lower().endswith(SUFFIX)  # the notebook as it was
    beside = made.folder / f"{name.removesuffix('.py')}{FROM_FILE}.py"
    if earlier.is_file() and not saved:
        earlier.rename(beside)
    text = module.over(beside.stem if beside.is_file() else None)
    (made.folder / name).write_text(text, encoding="utf-8", errors="replace")
    found = {**made.places.found, name: Slot(name, module.notebook, name)}
    obstacles = {key: why for key, why in made.places.obstacles.items() if key != name}
    return replace(made, places=replace(made.places, found=found, obstacles=obstacles))


def _is_wanted(path: str, others: Sequence[str]) -> bool:
    name = path.rpartition("/")[2]
    return loosened(name).endswith(CODE) or any(is_meant(name, other) for other in others)


def _entries(folder: Path, names: Sequence[str], notes: Notes) -> Generator[Entry, None, None]:
    for name in names:
        path = folder / name
        try:
            size = path.stat().st_size
            file = path.open("rb")
        except FileNotFoundError:
            continue  # an editor that saves by renaming
        except OSError as error:
            notes.leave_out(shown(name), f"it cannot be read: {error.strerror}")
            continue
        yield name, size, file
