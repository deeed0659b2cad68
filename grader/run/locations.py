"""Where in a student's files a check failed: for people who look for it with pytest.

A worker reports an exception with files and line numbers. That is a claim of the process that runs
student code: the lines are read here, from the staged submission and from nowhere else. A check
that failed without an exception has the place where its function is defined.
"""

from __future__ import annotations

import json
import linecache
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from grader.intake.places import Slot
from grader.intake.sources import MAX_REPAIRED_BYTES
from grader.intake.submission import Submission
from grader.isolation.sandbox import StudentError
from grader.isolation.worker.cells import MARK
from grader.model import CheckResult
from grader.readers.texts import clean, printable

CELL = re.compile(r"(.+), cell ([0-9]{1,4})")  # grader/isolation/worker/cells.py
MAX_NAME = 60  # characters of a function's name
MAX_TRACES = 3  # different exceptions of one check that are shown


@dataclass(frozen=True)
class Location:
    """A line of a file that was handed in, and the function it is in.

    ``lines`` are those of the whole file, or of the notebook's cell, fit to be shown.
    """

    path: str
    line: int
    function: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The line itself, without its indentation."""
        return self.lines[self.line - 1].strip()

    @property
    def shown(self) -> str:
        """The path as pytest shows one: relative to where it was started, if that is shorter."""
        relative = os.path.relpath(self.path)
        return relative if len(relative) < len(self.path) else self.path


@dataclass(frozen=True)
class StudentTrace:
    """Where student code failed, outermost place first, and the exception if it raised one."""

    locations: tuple[Location, ...]
    error: str = ""

    def __str__(self) -> str:
        lines = []
        for at in self.locations:
            lines += [f"{at.shown}:{at.line}: in {at.function or '<module>'}", f"    {at.text}"]
        return "\n".join([*lines, *(f"E   {line}" for line in self.error.splitlines())])


class StudentFiles:
    """The files of a staged submission, under the names that they were handed in with.

    Args:
        submission: what was staged.
        origin: the folder or archive that it was staged from.
    """

    def __init__(self, submission: Submission, origin: Path) -> None:
        self._submission = submission
        self._origin = origin.resolve()

    def location(self, file: str, line: int, function: str) -> Location | None:
        """Return a place that a worker names; None if the submission has no such line."""
        cell = CELL.fullmatch(file)
        lines = self._cell(cell[1], int(cell[2])) if cell else self._lines(file)
        if not 1 <= line <= len(lines):
            return None
        return Location(self._handed_in(file), line, printable(function, MAX_NAME), lines)

    def definition(self, module: str, name: str) -> Location | None:
        """Return where a function or class is defined; None if that cannot be found."""
        path = self._submission.path_of(module)
        lines = self._lines(path)
        pattern = re.compile(rf"\s*(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b")
        found = [number for number, line in enumerate(lines, 1) if pattern.match(line)]
        if not found:
            return None
        line = found[-1]  # of several definitions the last one counts
        header = _header(lines)
        before = [start for start in header[1] if start <= line] if header else []
        if header is None or not before:
            return self.location(path, line, name)
        return self.location(f"{header[0]}, cell {len(before)}", line - before[-1] + 1, name)

    def _lines(self, file: str) -> tuple[str, ...]:
        """Return the lines of a staged file; none if it is not one."""
        folder = self._submission.folder.resolve()
        try:
            path = (folder / file).resolve()
            if not path.is_relative_to(folder) or path.stat().st_size > MAX_REPAIRED_BYTES:
                return ()
            text = path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):  # a name with a NUL byte is a ValueError
            return ()
        return tuple(clean(line) for line in text.split("\n"))

    def _cell(self, notebook: str, number: int) -> tuple[str, ...]:
        """Return the lines of a cell of a notebook that became a module; none if there is none."""
        for slot in self._converted(notebook):
            lines = self._lines(slot.path)
            header = _header(lines)
            if header is not None and 1 <= number <= len(header[1]):
                starts = header[1]
                stop = starts[number] - 2 if number < len(starts) else len(lines)
                return lines[starts[number - 1] - 1 : stop]
        return ()

    def _converted(self, notebook: str) -> Iterator[Slot]:
        """Yield the modules that were made from a notebook, by the name that messages give it."""
        for slot in self._submission.places.found.values():
            header = _header(self._lines(slot.path))
            if header is not None and header[0] == notebook:
                yield slot

    def _handed_in(self, file: str) -> str:
        """Return the path of a staged file where it came from, as far as it can be found."""
        cell = CELL.fullmatch(file)
        slots = self._submission.places.found.values()
        used = self._converted(cell[1]) if cell else (slot for slot in slots if slot.path == file)
        name = next((slot.source for slot in used), file)
        inner = self._submission.folder.name  # of a folder within a folder
        paths = self._origin / name, self._origin / inner / name
        path = next((path for path in paths if path.exists()), paths[0])
        return clean(f"{path}, cell {cell[2]}" if cell else str(path))


def _header(lines: Sequence[str]) -> tuple[str, list[int]] | None:
    """Return the notebook that a module was made from, and the lines where its cells begin."""
    if not lines or not lines[0].startswith(MARK):
        return None
    try:
        made = json.loads(lines[0][len(MARK) :])
        name, starts = made["notebook"], made["starts"]
    except (ValueError, KeyError, TypeError):
        return None  # a student's own line
    if type(starts) is not list or any(type(n) is not int or n < 1 for n in starts):
        return None
    return str(name), starts


def traces(
    files: StudentFiles, module: str, result: CheckResult, raised: Iterable[StudentError]
) -> list[StudentTrace]:
    """Return where student code failed in a check; nothing if that is not the student's failure.

    Args:
        files: what was handed in.
        module: the module that the check looks at.
        result: how the check ended.
        raised: the exceptions of student code in it.
    """
    if result.outcome in ("passed", "pending", "broken"):
        return []
    found: dict[tuple[Location, ...], StudentTrace] = {}
    for error in raised:
        places = [files.location(*place) for place in error.where]
        known = tuple(place for place in places if place is not None)
        words = clean(f"{error.type}: {error.text}" if error.text else error.type)
        if known:
            found.setdefault(known, StudentTrace(known, words))
    if found:
        return list(found.values())[:MAX_TRACES]
    for function in result.spec.functions[:1]:  # the one that the check is about
        defined = files.definition(module, function)
        if defined is not None:
            return [StudentTrace((defined,))]
    return []


class _Here(Exception):  # noqa: N818 - raised to make a frame, and caught at once
    pass


def as_traceback(trace: StudentTrace, result: CheckResult) -> TracebackType | None:
    """Return a traceback through the student's lines, so that a debugger stops at the innermost.

    The process that ran the code is gone: the frames hold no variables of it but ``result``, the
    check's. Nothing of the student's is executed.
    """
    made: TracebackType | None = None
    for location in reversed(trace.locations):
        lines = [f"{line}\n" for line in location.lines]
        size = sum(map(len, lines))
        linecache.cache[location.path] = (size, None, lines, location.path)
        # An empty program whose only statement is on the student's line, under its name.
        program = "\n" * (location.line - 1) + "raise Here"
        code = compile(program, location.path, "exec")
        code = code.replace(co_name=location.function or "<module>")
        names = {"__name__": "student", "result": result, "Here": _Here}
        try:
            exec(code, names)  # noqa: S102 - our own statement
        except _Here as here:
            own = here.__traceback__
            inner = own.tb_next if own is not None else None
            if inner is not None:
                made = TracebackType(made, inner.tb_frame, inner.tb_lasti, location.line)
        del names["Here"]
    return made
