"""How much a worker has written into a folder on a disk, which it may rearrange meanwhile."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .limits import MIB

MAX_DEPTH = 64  # folders inside one another
MAX_ENTRIES = 16_384  # files and folders; as many as a file system in memory gives a worker
# Workers have such folders on POSIX systems only.
FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
BLOCK = 512  # bytes in which stat(2) counts


def is_over(folder: str, limit: int) -> str:
    """Return how a folder holds more than ``limit`` bytes, too many files, or too deep ones.

    The answer is empty if it does not.

    Every folder is opened in the one that holds it, and no link is followed: student code may put
    a link to anywhere in the place of a folder while this runs.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | FOLDER)
    except OSError:
        return ""  # removed meanwhile
    count = _Count(limit)
    return count.too_much if count.add(handle, MAX_DEPTH) else ""


class _Count:
    def __init__(self, limit: int) -> None:
        self.too_much = f"more than {limit // MIB} MiB of files"
        self._bytes = limit
        self._entries = MAX_ENTRIES

    def add(self, handle: int, depth: int) -> bool:
        """Add an open folder, and close it; say whether that is too much."""
        try:
            with os.scandir(handle) as entries:
                return any(self._add_entry(handle, entry.name, depth) for entry in entries)
        except OSError:
            return False
        finally:
            os.close(handle)

    def _add_entry(self, handle: int, name: str, depth: int) -> bool:
        self._entries -= 1
        try:
            found = os.stat(name, dir_fd=handle, follow_symlinks=False)
            self._bytes -= found.st_blocks * BLOCK
            if self._entries < 0:
                self.too_much = f"more than {MAX_ENTRIES} files and folders"
            if self._bytes < 0 or self._entries < 0:
                return True
            if not stat.S_ISDIR(found.st_mode):
                return False
            if depth == 0:
                self.too_much = f"folders that lie more than {MAX_DEPTH} deep in one another"
                return True
            inner = _opened(name, handle)
        except FileNotFoundError:
            return False  # removed meanwhile
        except OSError:
            return True  # what cannot be measured could be anything
        return self.add(inner, depth - 1)


def _opened(name: str, handle: int) -> int:
    """Open a folder of a worker's, which may have closed it to its owner."""
    try:
        return os.open(name, os.O_RDONLY | FOLDER, dir_fd=handle)
    except PermissionError:
        found = os.open(name, os.O_PATH | FOLDER, dir_fd=handle)
        try:
            Path(f"/proc/self/fd/{found}").chmod(stat.S_IRWXU)
        finally:
            os.close(found)
        return os.open(name, os.O_RDONLY | FOLDER, dir_fd=handle)
