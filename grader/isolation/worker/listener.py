"""The system calls about which a filter asks (seccomp_unotify(2)): the fork server answers.

Of a call that a process makes about itself only its arguments are looked at. These are numbers, in
registers that nobody changes while the call waits: what was looked at is what will be done.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import time
from typing import NamedTuple

from . import lockdown, seccomp
from .syscalls import CONDITIONAL

LISTENER_FD = 240  # where a worker shows its listener: below its limit of 256, and free
SHOWN, SEEN = b"S", b"T"
SHOW_S = 20.0  # it takes microseconds, after what a worker imports first (compiler.py)
PIDFD_GETFD = 438  # number of the system call, on both architectures
# linux/seccomp.h
NOTIFICATION, ANSWER, NEW_FD = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI"), "=QIIII"
RECEIVE, SEND, ADD_FD = 0xC0502100, 0xC0182101, 0x40182103
CONTINUE, AT_THIS_NUMBER = 1, 1
# Calls whose first argument is a process, which must be the one that calls.
ABOUT_ITSELF = ("kill", "tgkill", "prlimit64", "sched_setaffinity")


class Notice(NamedTuple):
    """A system call that waits for an answer."""

    identity: int
    pid: int  # of the thread
    number: int
    first: int  # argument


class Listener:
    """Hears of the system calls of a worker and of its forks.

    Attributes:
        deaf: whether nobody is left who could ask.
        maps_files: whether somebody has mapped a file into memory so as to share it.
    """

    def __init__(self, fd: int, proc: int) -> None:
        self.fd = fd
        self.deaf = self.maps_files = False
        self._proc = proc
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        column = seccomp.ARCHITECTURES[seccomp.machine()][0]
        self._about_itself = {CONDITIONAL[name][column] for name in ABOUT_ITSELF}
        self._mmap = CONDITIONAL["mmap"][column]

    def close(self) -> None:
        """Hear nothing more: the calls of processes that are left fail."""
        os.close(self.fd)

    def next(self, patience_s: float) -> Notice | None:
        """Return the next call that waits; None if there is none, or nobody to make one."""
        deadline = time.monotonic() + patience_s
        while True:
            events = self._poll.poll(max(0.0, (deadline - time.monotonic()) * 1000))
            if not events or not events[0][1] & select.POLLIN:
                self.deaf = bool(events)
                return None
            raw = bytearray(NOTIFICATION.size)
            try:
                fcntl.ioctl(self.fd, RECEIVE, raw)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):
                    continue  # a signal has interrupted that call
                raise
            identity, pid, _flags, number, _arch, _address, first, *_rest = NOTIFICATION.unpack(raw)
            return Notice(identity, pid, number, first)

    def answer_next(self) -> None:
        """Answer a call that waits, if there is one."""
        notice = self.next(0.0)
        if notice is not None:
            self.answer(notice)

    def answer(self, notice: Notice) -> None:
        """Let a call go on that is about the process itself, or maps a file; refuse any other."""
        maps = notice.number == self._mmap
        self.maps_files |= maps
        allowed = maps or (notice.number in self._about_itself and self._is_itself(notice))
        error, flags = (0, CONTINUE) if allowed else (-errno.EPERM, 0)
        with contextlib.suppress(OSError):  # it may have been interrupted, or have ended
            fcntl.ioctl(self.fd, SEND, bytearray(ANSWER.pack(notice.identity, 0, error, flags)))

    def _is_itself(self, notice: Notice) -> bool:
        """Say whether a call is about the process of the thread that makes it."""
        about = ctypes.c_int(notice.first & 0xFFFFFFFF).value
        try:
            os.stat(f"{about}/task/{notice.pid}", dir_fd=self._proc)
        except OSError:
            return False
        return about > 0

    def give(self, notice: Notice, fds: tuple[int, ...]) -> None:
        """Give a process whose call waits descriptors, as 0, 1 and so on.

        Raises:
            OSError: the call does not wait any more, or the process may not have so many.
        """
        for place, fd in enumerate(fds):
            given = struct.pack(NEW_FD, notice.identity, AT_THIS_NUMBER, fd, place, 0)
            fcntl.ioctl(self.fd, ADD_FD, bytearray(given))

    def go_on(self, notice: Notice) -> None:
        """Let a call go on; raises ``OSError`` if it does not wait any more."""
        answer = bytearray(ANSWER.pack(notice.identity, 0, 0, CONTINUE))
        fcntl.ioctl(self.fd, SEND, answer)


def taken(pid: int, channel: socket.socket, proc: int) -> Listener | None:
    """Take over the listener that a new worker shows; None if it shows none.

    Raises:
        OSError: the kernel does not allow it.
    """
    channel.settimeout(SHOW_S)
    try:
        shown = channel.recv(1)
    except OSError:
        return None
    if shown != SHOWN:
        return None
    process = os.pidfd_open(pid)
    try:
        mine = int(lockdown.libc.syscall(PIDFD_GETFD, process, LISTENER_FD, 0))
        number = ctypes.get_errno()
    finally:
        os.close(process)
        channel.send(SEEN)
    if mine < 0:
        raise OSError(number, "pidfd_getfd")
    os.set_inheritable(mine, False)
    return Listener(mine, proc)


def show(listener: int, channel: socket.socket) -> None:
    """Let the server take the listener of a filter; the caller closes its own.

    Raises:
        OSError: the server does not take it.
    """
    os.dup2(listener, LISTENER_FD)
    channel.settimeout(SHOW_S)
    channel.send(SHOWN)
    if channel.recv(1) != SEEN:
        raise OSError(0, "the listener of the filter is not taken")
