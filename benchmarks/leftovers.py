"""What a submission could leave behind: processes, files in shared folders, shared memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.isolation.worker.lockdown import UID_BASE

SHARED_FOLDERS = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
SHARED_MEMORY = ("shm", "sem", "msg")
# Other programs write into these folders, too: without a user id of its own, a worker's files are
# known by the names that the hostile examples give them.
NAMES = ("left-by-a-submission", "results.json", "report.json", "report.html", "gradebook.csv")


@dataclass(frozen=True)
class Process:
    """A line of the process table; ``command`` keeps the NUL between its words."""

    pid: int
    parent: int
    state: str
    uid: int
    command: str


class Surroundings:
    """Compares what is around a grading process with what was there before.

    Its children are the fork servers, which may stay; nothing may stay below them.

    Args:
        own: the folder below which the grading process stages submissions.
    """

    def __init__(self, own: Path) -> None:
        self._own = str(own)
        self._entries = set(_entries())
        self._segments = set(_segments())

    def changes(self) -> Iterator[str]:
        """Yield what is there now and was not before; files and memory come up once."""
        table = {process.pid: process for process in _processes()}
        servers = {pid for pid, process in table.items() if process.parent == os.getpid()}
        users = {UID_BASE + server for server in servers}
        for pid, process in table.items():
            below = any(parent in servers for parent in _ancestors(pid, table))
            escaped = pid not in {*servers, os.getpid()} and self._own in process.command
            if below or escaped or process.uid in users:
                yield f"process {pid} ({process.state}) is left"
            elif pid in servers and process.state == "Z":
                yield f"the fork server {pid} has died"
        new = set(_entries()) - self._entries
        self._entries |= new
        yield from (f"{path} is left" for path in sorted(new) if _is_left(path, users))
        segments = set(_segments()) - self._segments
        self._segments |= segments
        yield from (f"{segment} is left" for segment in sorted(segments))


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # A process's name, in parentheses, may hold anything.
            words = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            owner = folder.stat().st_uid
        except OSError:
            continue  # it has ended in the meantime
        yield Process(int(folder.name), int(words[1]), words[0], owner, command)


def _ancestors(pid: int, table: Mapping[int, Process]) -> Iterator[int]:
    while pid in table:
        pid = table[pid].parent
        yield pid


def _entries() -> Iterator[Path]:
    for folder in SHARED_FOLDERS:
        try:
            yield from folder.iterdir()
        except OSError:
            continue


def _is_left(path: Path, users: set[int]) -> bool:
    try:
        return path.name in NAMES or path.lstat().st_uid in users
    except OSError:
        return False


def _segments() -> Iterator[str]:
    for kind in SHARED_MEMORY:
        try:
            lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
        except OSError:
            continue
        yield from (f"{kind} with key and id {' '.join(line.split()[:2])}" for line in lines)
