"""Whether a hand-in is still the one that was graded: a digest of all that staging reads of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from grader.errors import UsageError
from grader.intake.downloads import Collected, HandedInFile
from grader.intake.layouts import Origin

MAX_READ_BYTES = 64 << 20  # of one file: larger ones are not staged
MAX_READ_TOTAL = 512 << 20
MAX_FILES_READ = 4000
BLOCK = 1 << 20
DEEP = 64  # levels of folders; staging takes 16 of them (unpacking.py)


class _Reader:
    """Adds up files; of those beyond what staging takes, only size and time of change."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._files = self._bytes = 0

    def tell(self, *words: object) -> None:
        """Add words; none of them runs into the next one."""
        for word in words:
            raw = str(word).encode("utf-8", "surrogateescape")
            self.digest.update(b"%d:%s," % (len(raw), raw))

    def file(self, name: str, path: str) -> None:
        found = os.lstat(path)
        self._files += 1
        self._bytes += found.st_size
        much = found.st_size > MAX_READ_BYTES or self._bytes > MAX_READ_TOTAL
        if much or self._files > MAX_FILES_READ:
            self.tell("large", name, found.st_size, found.st_mtime_ns)
            return
        content = hashlib.sha256()
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of files: quickly
            while block := file.read(BLOCK):
                content.update(block)
        self.tell("file", name, content.hexdigest())

    def folder(self, top: str) -> None:
        for name, entry in _entries(top, ""):
            if entry.is_symlink():
                self.tell("link", name)
            elif entry.is_dir(follow_symlinks=False):
                self.tell("folder", name)
            elif entry.is_file(follow_symlinks=False):
                self.file(name, entry.path)
            else:
                self.tell("neither", name)


def _entries(top: str, prefix: str, depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is in a folder, with its name; nothing that lies far too deep to be staged."""
    if depth > DEEP:
        return
    with os.scandir(top) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        yield prefix + entry.name, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path, f"{prefix}{entry.name}/", depth + 1)


def contents_digest(origin: Origin) -> str:
    """Return a digest of what was handed in, under which names, and of what is known of whom.

    It is the same for a copy of the files: times and owners do not count. Of what is far too large
    to be staged only names, sizes and times do.

    Raises:
        UsageError: something vanished or cannot be read.
    """
    reader = _Reader()
    if isinstance(origin, Path):
        origin = Collected("", (HandedInFile(origin, ""),))
    reader.tell(origin.student, *origin.notes)
    for part in origin.parts:
        path = part.path.resolve()
        reader.tell("part", part.name, path.name)
        try:
            if path.is_dir():
                reader.folder(str(path))
            else:
                reader.file("", str(path))
        except OSError as error:
            place = error.filename or part.path
            raise UsageError(f"{place}: cannot be read: {error.strerror}") from None
    return reader.digest.hexdigest()
