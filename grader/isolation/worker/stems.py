"""Stems: workers that have loaded a student's module, and are forked for each of its checks.

A stem is locked down and imports the module once. Then it is stopped, and runs again only to be
forked. Student code has run in it, so the fork server, which has never run any, makes the fork:
the stem's filter of system calls hands ``clone`` over to it (seccomp_unotify(2)), and it allows one
at a time, when the grader asks. The new worker becomes the server's own child (``CLONE_PARENT``).

A check must not leave anything behind for the next one. Memory is copied by the fork. The server
looks at everything else from outside before it uses a stem again: threads and children, open files,
memory that is shared, and the files in the scratch folder. A stem that differs is ended, and the
next check has a worker of its own. Signals between workers are refused by the filter.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from . import lockdown, scratch, seccomp

CLONE_PARENT = 0x8000
FORK = CLONE_PARENT | signal.SIGCHLD  # the flags that only a stem uses
CLONE = {"x86_64": 56, "aarch64": 220}  # numbers of the system call
WIRE_FD, OUTPUT_FD = 4, 5  # where a fork finds its own
LISTENER_FD = 240  # where a stem shows its listener: below its limit of 256, and free
PLACES = {
    "0",
    "1",
    "2",
    "3",
}  # descriptors of a worker at rest: nothing, its output twice, the wire
SHOWN, SEEN = b"S", b"T"
PIDFD_GETFD = 438  # number of the system call, on both architectures
PR_SET_PDEATHSIG = 1
# linux/seccomp.h
NOTIFICATION, ANSWER, NEW_FD = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI"), "=QIIII"
RECEIVE, SEND, ADD_FD = 0xC0502100, 0xC0182101, 0x40182103
CONTINUE, AT_THIS_NUMBER = 1, 1
PATIENCE_S = 2.0  # for what takes microseconds
PAUSE_S = 0.0002
ENDED = ""  # why a stem cannot be forked whose files a check has changed
MAX_ENTRIES, MAX_BYTES = 400, 8 * 1024 * 1024  # of a scratch folder that is looked at


Files = list[tuple[Any, ...]]


class UnfitError(Exception):
    """A stem cannot be used; says why, and nothing if it has ended."""


@dataclass
class _Stem:
    pid: int
    listener: int
    files: Files = field(default_factory=list)


class StemKeeper:
    """The stems of a fork server."""

    def __init__(self, host: lockdown.Host) -> None:
        self._host = host
        self._stems: dict[int, _Stem] = {}
        self._forks: dict[int, int] = {}  # of which stem each fork is
        self._waiting: set[int] = set()  # forks whose check has not begun: they are stopped
        self._shared = self._shared_by(os.getpid())
        layers = all(host.has(layer) for layer in ("namespaces", "setuid", "rlimits", "seccomp"))
        self.are_possible = layers and not host.accelerator and _can_listen()

    @property
    def pids(self) -> set[int]:
        """The processes that outlive a check: stems, and forks that wait for theirs."""
        return {*self._stems, *self._waiting}

    def add(self, pid: int, channel: socket.socket) -> bool:
        """Take over the system call ``clone`` of a new worker; say whether that works."""
        channel.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError):
            if channel.recv(1) == SHOWN:
                try:
                    self._stems[pid] = _Stem(pid, _taken(pid, LISTENER_FD))
                except OSError:
                    self.are_possible = False  # nor will it be for the next worker
                channel.send(SEEN)
        return pid in self._stems

    def settle(self, pid: int) -> str:
        """Stop a worker that has loaded its module; return why it cannot be a stem, or nothing."""
        stem = self._stems[pid]
        try:
            self._stop(stem, 0.0)
            stem.files = self._files(pid)
        except (UnfitError, OSError, ValueError) as error:
            self.forget(pid)
            os.kill(pid, signal.SIGCONT)
            return str(error)
        return ""

    def fork(self, pid: int, fds: list[int]) -> list[int]:
        """Fork a stem, which has been asked to; return the new workers' processes, stopped.

        All of them are made before a check runs in one of them.

        Args:
            pid: the stem.
            fds: for each new worker, its end of the wire and the pipe for its output.

        Raises:
            UnfitError: it does not do what stems do. It is gone, and what it made with it.
        """
        stem = self._stems.get(pid)
        if stem is None:
            raise UnfitError(ENDED)
        before = set(lockdown.children(self._host))
        try:
            os.kill(pid, signal.SIGCONT)
            for wire, output in zip(fds[::2], fds[1::2], strict=True):
                self._allow(stem, (wire, output))
            made = self._made(before, fds)
            self._stop(stem, PATIENCE_S)
            for fork in made:
                self._wait_for_stop(fork)
        except (UnfitError, OSError, ValueError) as error:
            self.end(pid)
            for child in set(lockdown.children(self._host)) - before:
                _kill(child)
            raise UnfitError(str(error)) from None
        self._forks.update(dict.fromkeys(made, pid))
        self._waiting.update(made)
        return made

    def use(self, fork: int) -> bool:
        """Let a fork go on for its check; say whether it is as it was made."""
        if fork not in self._waiting or self._state(fork) != "T":
            return False
        self._waiting.discard(fork)
        os.kill(fork, signal.SIGCONT)
        return True

    def after(self, fork: int) -> None:
        """End the stem of a fork that is gone, if that has changed the files that they share."""
        pid = self._forks.pop(fork, None)
        if pid not in self._stems:
            return
        try:
            same = self._files(pid) == self._stems[pid].files and self._state(pid) == "T"
        except (UnfitError, OSError, ValueError):
            same = False
        if not same:
            self.end(pid)

    def end(self, pid: int) -> None:
        """End a stem, and its forks whose check has not begun."""
        for fork in [fork for fork in self._waiting if self._forks[fork] == pid]:
            _kill(fork)
            self._waiting.discard(fork)
            del self._forks[fork]
        if self.forget(pid):
            _kill(pid)

    def forget(self, pid: int) -> bool:
        """Treat a stem as any other worker."""
        stem = self._stems.pop(pid, None)
        if stem is None:
            return False
        os.close(stem.listener)
        return True

    def _allow(self, stem: _Stem, fds: tuple[int, int]) -> None:
        """Give a stem that is forking the descriptors of its fork, and let it go on."""
        if not select.select([stem.listener], [], [], PATIENCE_S)[0]:
            raise UnfitError("it does not fork")
        raw = bytearray(NOTIFICATION.size)
        fcntl.ioctl(stem.listener, RECEIVE, raw)
        identity, pid, _flags, number, _arch, _address, *arguments = NOTIFICATION.unpack(raw)
        if (pid, number, arguments[0]) != (stem.pid, CLONE[seccomp.machine()], FORK):
            raise UnfitError("another process forks")
        for fd, place in zip(fds, (WIRE_FD, OUTPUT_FD), strict=True):
            given = struct.pack(NEW_FD, identity, AT_THIS_NUMBER, fd, place, 0)
            fcntl.ioctl(stem.listener, ADD_FD, bytearray(given))
        fcntl.ioctl(stem.listener, SEND, bytearray(ANSWER.pack(identity, 0, 0, CONTINUE)))

    def _made(self, before: set[int], fds: list[int]) -> list[int]:
        """Return the forks, in the order of their descriptors; each is about to stop.

        Raises:
            UnfitError: there are more or fewer, or one holds anything else.
        """
        own = self._descriptors(os.getpid())
        places = [own[str(fd)] for fd in fds]
        wanted = list(zip(places[::2], places[1::2], strict=True))
        deadline = time.monotonic() + PATIENCE_S
        while len(new := set(lockdown.children(self._host)) - before) < len(wanted):
            if time.monotonic() > deadline:
                raise UnfitError("there is no fork")
            time.sleep(PAUSE_S)
        made: dict[tuple[str, str], int] = {}
        for fork in new:
            while set(found := self._descriptors(fork)) != PLACES or found["3"] not in places:
                if time.monotonic() > deadline:
                    raise UnfitError("a fork has other files open")
                time.sleep(PAUSE_S)
            os.kill(fork, signal.SIGSTOP)
            if found["1"] == found["2"]:
                made[found["3"], found["1"]] = fork
        if len(new) != len(wanted) or set(made) != set(wanted):
            raise UnfitError("its forks are not as they should be")
        return [made[one] for one in wanted]

    def _stop(self, stem: _Stem, patience_s: float) -> None:
        """Stop a stem; raises ``UnfitError`` if it holds more than a worker at rest does."""
        deadline = time.monotonic() + patience_s
        while set(self._descriptors(stem.pid)) != PLACES and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        os.kill(stem.pid, signal.SIGSTOP)
        self._wait_for_stop(stem.pid)
        if self._list(f"{stem.pid}/task") != [str(stem.pid)]:
            raise UnfitError("its module starts threads")
        if self._read(f"{stem.pid}/task/{stem.pid}/children").strip():
            raise UnfitError("its module starts processes")
        if set(self._descriptors(stem.pid)) != PLACES:
            raise UnfitError("its module leaves files open")
        if not self._shared_by(stem.pid) <= self._shared:
            raise UnfitError("its module shares memory")

    def _wait_for_stop(self, pid: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._state(pid) != "T":
            if time.monotonic() > deadline:
                raise UnfitError("it does not stop")
            time.sleep(PAUSE_S)

    def _state(self, pid: int) -> str:
        return self._read(f"{pid}/stat").rpartition(b")")[2].split()[0].decode()

    def _descriptors(self, pid: int) -> dict[str, str]:
        """Return what each open descriptor of a process is."""
        found = {}
        for name in self._list(f"{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found[name] = os.readlink(f"{pid}/fd/{name}", dir_fd=self._host.proc)
        return found

    def _shared_by(self, pid: int) -> set[bytes]:
        """Return the files, or other memory, that a process maps to share it."""
        lines = (line.split(maxsplit=5) for line in self._read(f"{pid}/maps").splitlines())
        return {b" ".join((line[1], *line[5:])) for line in lines if line[1].endswith(b"s")}

    def _files(self, pid: int) -> Files:
        """Return what there is in a stem's scratch folder: names, kinds, times and contents."""
        root = os.open(f"{pid}/root", os.O_PATH | os.O_DIRECTORY, dir_fd=self._host.proc)
        try:
            top = os.open(scratch.PLACE.lstrip("/"), os.O_PATH | os.O_DIRECTORY, dir_fd=root)
        finally:
            os.close(root)
        held: Files = []
        size = 0
        try:
            for parent, folders, names, fd in os.fwalk(".", dir_fd=top):
                folders.sort()
                for name in sorted([*folders, *names]):
                    found = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    size += found.st_size
                    if len(held) >= MAX_ENTRIES or size > MAX_BYTES:
                        raise UnfitError("its scratch folder holds too much")
                    about = (found.st_mode, found.st_ino, found.st_nlink, found.st_size)
                    times = found.st_mtime_ns, found.st_ctime_ns
                    # Memory that maps a file is written without a trace in its times.
                    regular = stat.S_ISREG(found.st_mode)
                    content = _content(name, fd, found.st_size) if regular else b""
                    held.append((f"{parent}/{name}", about, times, content))
        finally:
            os.close(top)
        return held

    def _list(self, path: str) -> list[str]:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._host.proc)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def _read(self, path: str) -> bytes:
        with open(os.open(path, os.O_RDONLY, dir_fd=self._host.proc), "rb") as file:
            return file.read()


def _content(name: str, folder: int, size: int) -> bytes:
    """Return the bytes of a file, and one more if it has grown."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        return os.pread(fd, size + 1, 0)
    finally:
        os.close(fd)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _taken(pid: int, fd: int) -> int:
    """Return a descriptor of a child's as one of this process."""
    process = os.pidfd_open(pid)
    try:
        mine = int(lockdown.libc.syscall(PIDFD_GETFD, process, fd, 0))
    finally:
        os.close(process)
    if mine < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    os.set_inheritable(mine, False)
    return mine


def show(listener: int, channel: socket.socket) -> None:
    """Let the server take the listener of a filter; afterwards this process has it no more.

    Raises:
        OSError: the server does not take it.
    """
    os.dup2(listener, LISTENER_FD)
    channel.settimeout(PATIENCE_S)
    channel.send(SHOWN)
    if channel.recv(1) != SEEN:
        raise OSError(0, "the listener of the filter is not taken")


def fork() -> bool:
    """Fork this process, a stem; say whether this is the fork, whose wire is another one."""
    python = ctypes.PyDLL(None)
    python.PyOS_BeforeFork()
    made = python.syscall(CLONE[seccomp.machine()], FORK, 0, 0, 0, 0)
    if made != 0:
        python.PyOS_AfterFork_Parent()
        os.close(WIRE_FD)
        os.close(OUTPUT_FD)
        return False
    python.PyOS_AfterFork_Child()
    python.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for source, targets in ((OUTPUT_FD, (1, 2)), (WIRE_FD, (3,))):
        for target in targets:
            os.dup2(source, target, inheritable=False)
        os.close(source)
    return True


def _can_listen() -> bool:
    """Try a filter that asks, in a process of its own: say whether the kernel has what it takes."""
    program = seccomp.compile_filter(0, asks=FORK)
    pid = os.fork()
    if pid == 0:
        try:
            lockdown.libc.prctl(lockdown.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if program is not None:
                seccomp.install(lockdown.libc, program, listens=True)
                os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
