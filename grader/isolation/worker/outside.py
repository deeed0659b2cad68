"""What another process holds, seen from outside, by ``/proc``: it cannot lie about that."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import Any

from . import lockdown, scratch

Files = list[tuple[Any, ...]]
Identity = tuple[int, ...]

MAX_ENTRIES = 400  # of a scratch folder that is looked at
# What a program may change of an open file without opening another one.
CHANGEABLE = os.O_APPEND | os.O_NONBLOCK | os.O_ASYNC | os.O_DIRECT | os.O_NOATIME
CLOCK_REALTIME_COARSE = 5  # linux/time.h: what files get their times from
TICKS_S = 0.05  # many of them


class UnfitError(Exception):
    """A stem, or a fork of one, cannot be used; says why, and nothing if it has ended."""


class Outside:
    """Looks at processes by a descriptor of ``/proc``."""

    def __init__(self, proc: int) -> None:
        self._proc = proc
        self._shared = self._shared_by(self.read(f"{os.getpid()}/maps"))

    def state(self, pid: int) -> str:
        """Return the state of a process: ``T`` if it is stopped, ``Z`` if it has ended."""
        return self.read(f"{pid}/stat").rpartition(b")")[2].split()[0].decode()

    def busy_s(self, pid: int) -> float:
        """Return for how many seconds a process has computed, or waited for a processor."""
        with contextlib.suppress(OSError, ValueError):
            running, queued, _slices = map(int, self.read(f"{pid}/schedstat").split())
            return (running + queued) / 1e9
        return 0.0  # not every kernel keeps track of it

    def descriptors(self, pid: int) -> set[str]:
        """Return the numbers of the open files of a process."""
        return set(self._list(f"{pid}/fd"))

    def is_alone(self, pid: int) -> None:
        """Raise ``UnfitError`` if a process has threads or children."""
        if self._list(f"{pid}/task") != [str(pid)]:
            raise UnfitError("its module starts threads")
        if self.read(f"{pid}/task/{pid}/children").strip():
            raise UnfitError("its module starts processes")

    def has_open(self, pid: int, wanted: dict[int, Identity], *, as_new: bool = False) -> None:
        """Raise ``UnfitError`` if a process has other files open, or not ``as_new``.

        Not their numbers count but what they are: a file of its own may lie under any of them.
        """
        if self.descriptors(pid) != {str(number) for number in wanted}:
            raise UnfitError("its module leaves files open")
        for number, identity in wanted.items():
            found = identity_of(os.stat(f"{pid}/fd/{number}", dir_fd=self._proc))
            if found != identity or (as_new and self._flags(pid, number) & CHANGEABLE):
                raise UnfitError("its module puts a file in the place of another")

    def _flags(self, pid: int, number: int) -> int:
        lines = dict(
            line.split(b":", 1) for line in self.read(f"{pid}/fdinfo/{number}").splitlines()[:4]
        )
        return int(lines[b"flags"], 8)

    def shares_nothing(self, pid: int) -> None:
        """Raise ``UnfitError`` if memory or files of a process are, or can be, another's, too.

        A file of the scratch folder that is mapped may have no name there any more, and so may the
        working folder.
        """
        maps = self.read(f"{pid}/maps")
        if not self._shared_by(maps) <= self._shared:
            raise UnfitError("its module shares memory")
        device = os.stat(f"{pid}/root{scratch.PLACE}", dir_fd=self._proc).st_dev
        if b" %02x:%02x " % (os.major(device), os.minor(device)) in maps:
            raise UnfitError("its module maps a file of its scratch folder")
        if os.stat(f"{pid}/cwd", dir_fd=self._proc).st_nlink == 0:
            raise UnfitError("its module removes its working folder")

    @staticmethod
    def _shared_by(maps: bytes) -> set[bytes]:
        """Return the files, or other memory, that are mapped to be shared."""
        if b"s " not in maps:
            return set()
        lines = (line.split(maxsplit=5) for line in maps.splitlines() if b"s " in line)
        return {b" ".join((line[1], *line[5:])) for line in lines if line[1].endswith(b"s")}

    def files(self, pid: int) -> Files:
        """Return what is in the scratch folder: names in their order, kinds, times, where links go.

        Whatever is written into a file changes its times, unless it is mapped into memory to be
        shared, of which the listener hears.

        Raises:
            UnfitError: it holds too much to look at.
        """
        held: Files = []
        top = self._scratch(pid, os.O_PATH | os.O_DIRECTORY)
        try:
            held.append((".", _about(os.fstat(top)), ""))
            for parent, folders, names, fd in os.fwalk(".", dir_fd=top):
                for name in (*folders, *names):
                    found = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    if len(held) >= MAX_ENTRIES:
                        raise UnfitError("its scratch folder holds too much")
                    link = stat.S_ISLNK(found.st_mode)
                    target = os.readlink(name, dir_fd=fd) if link else ""
                    held.append((f"{parent}/{name}", _about(found), target))
        finally:
            os.close(top)
        return held

    def next_inode(self, pid: int) -> int:
        """Return the number of a new file in the scratch folder; each is larger than the last.

        A file that was made and removed again has left its mark there, and nowhere else.
        """
        try:
            fd = self._scratch(pid, os.O_TMPFILE | os.O_RDWR)
        except OSError as error:
            if error.errno == errno.EROFS:  # a worker without files
                return 0
            raise
        try:
            return os.fstat(fd).st_ino
        finally:
            os.close(fd)

    def _scratch(self, pid: int, flags: int) -> int:
        return os.open(f"{pid}/root{scratch.PLACE}", flags | os.O_CLOEXEC, dir_fd=self._proc)

    def _list(self, path: str) -> list[str]:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file of ``/proc``."""
        return lockdown.read(path, self._proc)


def identity_of(found: os.stat_result) -> Identity:
    """Return what tells an open file from any other one; for a device, which it is."""
    if stat.S_ISCHR(found.st_mode):
        return (stat.S_IFCHR, found.st_rdev)
    return (stat.S_IFMT(found.st_mode), found.st_dev, found.st_ino)


def wait_for_a_tick(files: Files) -> None:
    """Wait until whatever changes one of these files from now on changes its times, too."""
    newest = max(about[-1] for _name, about, _target in files)
    deadline = time.monotonic() + TICKS_S
    while newest >= time.clock_gettime_ns(CLOCK_REALTIME_COARSE) and time.monotonic() < deadline:
        time.sleep(0.001)


def _about(found: os.stat_result) -> tuple[int, ...]:
    kind = (found.st_mode, found.st_ino, found.st_nlink, found.st_size, found.st_blocks)
    return (*kind, found.st_uid, found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
