"""Folders for staged submissions, which do not outlive their owner for long.

A grader that is killed cannot remove what it staged. Each folder therefore holds a locked file: the
lock ends with the processes that hold it, and the next grader removes the folders without one.
A grader that is killed before the file has its name, or after it removed it, leaves an empty
folder, which is removed when it is a minute old.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from grader.errors import BrokenError, Closing

PREFIX = "grader-"
OWNER = ".owner"
UNNAMED = f"{OWNER}.new"
YOUNG_S = 60.0  # an empty folder of this age may get its locked file at any moment


class StagingFolder(Closing):
    """A new folder in the system's temporary folder; removes folders whose owners are gone.

    Processes forked by the owner share its lock: the folder is in use as long as any of them lives.

    Raises:
        BrokenError: no folder can be made.
    """

    def __init__(self) -> None:
        remove_stale()
        try:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        except OSError as error:
            place = f"a folder in {tempfile.gettempdir()}"
            raise BrokenError(f"cannot create {place}: {error.strerror}") from None
        self.path.chmod(0o711)  # workers, under another user id, must pass through
        self._lock = _locked_owner(self.path)

    def close(self) -> None:
        """Remove the folder with everything in it."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked_owner(folder: Path) -> int | None:
    """Create the locked file; None where there are no locks, which leaves the folder alone."""
    new = folder / UNNAMED
    try:
        lock = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BrokenError(f"cannot write to {folder}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file gets its name only after it is locked.
        new.rename(folder / OWNER)
    except OSError:
        os.close(lock)
        return None
    return lock


def remove_stale() -> None:
    """Remove the folders of this user whose owners are gone."""
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                _remove_if_stale(folder)


def _remove_if_stale(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    try:
        lock = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        empty = all(entry.name == UNNAMED for entry in folder.iterdir())
        if empty and time.time() - found.st_mtime > YOUNG_S:
            _remove(folder)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove a folder. What cannot be removed now keeps its locked file, and so goes later."""
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            if entry.name == OWNER:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        if all(entry.name == OWNER for entry in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
