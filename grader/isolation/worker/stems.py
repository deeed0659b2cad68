"""Stems: workers that have loaded a student's module, and are forked for each of its checks.

A stem is locked down and imports the module once. From then on it closes what it has open and asks
to be forked, again and again. Student code has run in it, so the fork server, which has never run
any, makes the forks: the stem's filter hands the system call ``clone`` over to it, and it allows
one at a time, when the grader asks (``listener.py``). Meanwhile the stem waits in the kernel, with
nothing open: the server gives it the descriptors that the fork is to have. The new worker becomes
the server's own child (``CLONE_PARENT``) and is stopped until its check begins.

A check must not leave anything behind for the next one. Forks for all checks that are expected are
made before the first of them begins; memory is copied. The server looks at everything else from
outside (``outside.py``) before a fork is used: threads and children, what is open, memory that is
shared or could be, and, when a check is over, the files in the scratch folder. If anything differs,
the stem is ended with all forks that wait, and the next check has a worker of its own. Signals
between workers are refused by the filter, and so is all else that names another process.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import os
import select
import signal
import socket
import time
from dataclasses import dataclass, field

from . import listener, lockdown, seccomp
from .listener import Listener, Notice
from .outside import Files, Identity, Outside, UnfitError, identity_of, wait_for_a_tick

CLONE_PARENT = 0x8000
FORK = CLONE_PARENT | signal.SIGCHLD  # the flags that only a stem uses
CLONE = {"x86_64": 56, "aarch64": 220}  # numbers of the system call
FDS = 4  # of a worker at rest: nothing, its output twice, the wire
PR_SET_PDEATHSIG = 1
EXIT_NOT_FORKED = 95
PATIENCE_S = 2.0  # for all forks that are made together: each takes a millisecond or some
LOOK_S = 0.05  # how often to look whether a stem is still there
EACH_S = 0.03  # more for each of them
SLOW_S, MAX_SLOW = 0.2, 2  # a stem that takes longer so often is not used again
FOR_EVER = float("inf")
ENDED = ""  # why a stem cannot be forked whose files a check has changed


@dataclass
class _Stem:
    """A worker that can be forked, or that may become one of these.

    ``opened`` tells what lies under its descriptors; ``files`` and ``inode`` how its scratch folder
    was left by the import; ``slow`` how often it took long to be forked.
    """

    pid: int
    listener: Listener
    opened: dict[int, Identity]
    files: Files = field(default_factory=list)
    inode: int = 0
    slow: int = 0


class StemKeeper:
    """The stems of a fork server."""

    def __init__(self, host: lockdown.Host) -> None:
        self._host = host
        self._outside = Outside(host.proc)
        self._stems: dict[int, _Stem] = {}
        self._unfit: dict[int, Listener] = {}  # ordinary workers whose filter asks nevertheless
        self._forks: dict[int, int] = {}  # of which stem each fork is
        self._waiting: set[int] = set()  # forks whose check has not begun: they are stopped
        self._kept: set[int] = set()  # workers that do one check after another (``turns.py``)
        layers = all(host.has(layer) for layer in ("namespaces", "setuid", "rlimits", "seccomp"))
        self.are_possible = layers and not host.accelerator and _may_listen()
        if self.are_possible:
            lockdown.filter_of(host, asks=FORK)  # for all stems: that takes a millisecond

    @property
    def pids(self) -> set[int]:
        """The processes that outlive a check: stems, forks that wait for theirs, what is kept."""
        return {*self._stems, *self._waiting, *self._kept}

    @property
    def listeners(self) -> list[Listener]:
        """All by which workers ask."""
        return [*(stem.listener for stem in self._stems.values()), *self._unfit.values()]

    def add(self, pid: int, channel: socket.socket, fds: list[int]) -> bool:
        """Answer certain system calls of a new worker; say whether it can become a stem."""
        wire, output = (identity_of(os.fstat(fd)) for fd in fds)
        null = identity_of(os.stat(os.devnull))
        try:
            taken = listener.taken(pid, channel, self._host.proc)
        except OSError:
            self.are_possible = False  # nor will it be for the next worker
            taken = None
        if taken is not None:
            opened = {0: null, 1: output, 2: output, 3: wire}
            self._stems[pid] = _Stem(pid, taken, opened)
        return taken is not None

    def keep(self, pid: int) -> None:
        """Let a worker live on when a check ends."""
        self._kept.add(pid)

    def settle(self, pid: int) -> str:
        """Stop a worker that has loaded its module; return why it cannot be a stem, or nothing."""
        stem = self._stems[pid]
        try:
            self._stop(pid)
            self._outside.is_alone(pid)
            self._outside.has_open(pid, stem.opened, as_new=True)
            self._outside.shares_nothing(pid)
            stem.files = self._outside.files(pid)
            wait_for_a_tick(stem.files)
            stem.inode = self._outside.next_inode(pid)
            stem.listener.maps_files = False  # it maps none now
        except (UnfitError, OSError, ValueError) as error:
            self._unfit[pid] = self._stems.pop(pid).listener
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            return str(error) or "it has ended"
        return ""

    def answer(self, patience_s: float, control: int | None = None) -> None:
        """Answer the calls of workers that ask, until ``control`` can be read or time is over."""
        deadline = time.monotonic() + patience_s
        while True:
            poll = select.poll()
            asked = {one.fd: one for one in self.listeners if not one.deaf}
            for fd in (*asked, *([] if control is None else [control])):
                poll.register(fd, select.POLLIN)
            remaining = deadline - time.monotonic()
            ready = poll.poll(None if patience_s == FOR_EVER else max(0.0, remaining * 1000))
            if not ready or any(fd == control for fd, _event in ready):
                return
            for fd, _event in ready:
                asked[fd].answer_next()

    def busy_s(self, pid: int) -> float:
        """Return for how many seconds a process has computed, or waited for a processor."""
        return self._outside.busy_s(pid)

    def fork(self, pid: int, fds: list[int]) -> list[int]:
        """Fork a stem; return the new workers' processes, stopped.

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
        began, queued_s = time.monotonic(), lockdown.time_in_queue(self._host, pid)
        try:
            made = self._made(stem, fds, before)
            self._stop(pid)
            self._rests(pid)
            for fork, wire, output in zip(made, fds[::2], fds[1::2], strict=True):
                self._stop(fork)
                self._look_at(fork, stem, wire, output)
        except (UnfitError, OSError, ValueError) as error:
            self.end(pid)
            for child in set(lockdown.children(self._host)) - before:
                _kill(child)
            raise UnfitError(str(error) or "it has ended") from None
        took_s = time.monotonic() - began - lockdown.time_in_queue(self._host, pid) + queued_s
        stem.slow += took_s > SLOW_S + EACH_S * len(made)
        self._forks.update(dict.fromkeys(made, pid))
        self._waiting.update(made)
        return made

    def _made(self, stem: _Stem, fds: list[int], before: set[int]) -> list[int]:
        """Let a stem go on, and fork; return the forks, which are about to stop."""
        if stem.slow >= MAX_SLOW:
            raise UnfitError("it takes long to be forked")
        deadline = time.monotonic() + PATIENCE_S + EACH_S * len(fds)
        made: list[int] = []
        os.kill(stem.pid, signal.SIGCONT)
        notice = self._asked(stem, deadline)
        for wire, output in zip(fds[::2], fds[1::2], strict=True):
            self._let_fork(stem, notice, wire, output)
            notice = self._asked(stem, deadline)
            new = set(lockdown.children(self._host)) - before - set(made)
            if len(new) != 1:
                raise UnfitError("it does not fork once")
            made += new
            os.kill(made[-1], signal.SIGSTOP)
        return made

    def _asked(self, stem: _Stem, deadline: float) -> Notice:
        """Return the stem's request to be forked, and answer any other."""
        while time.monotonic() < deadline:
            notice = stem.listener.next(LOOK_S)
            if notice is None:
                if self._outside.state(stem.pid) == "Z":
                    break
            elif notice[1:] == (stem.pid, CLONE[seccomp.machine()], FORK):
                return notice
            else:
                stem.listener.answer(notice)
        raise UnfitError("it does not ask to be forked")

    def _let_fork(self, stem: _Stem, notice: Notice, wire: int, output: int) -> None:
        """Let a stem fork that waits for it.

        While its call waits it runs no code. What is open then is what we give it, and the call
        goes on only if nothing has interrupted it.
        """
        self._rests(stem.pid)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Each fork has its own: what it changes of an open file no other one has.
            stem.listener.give(notice, (null, output, output, wire))
        finally:
            os.close(null)
        stem.listener.go_on(notice)

    def _rests(self, pid: int) -> None:
        """Raise ``UnfitError`` if a stem is not alone, or has anything open."""
        self._outside.has_open(pid, {})
        self._outside.is_alone(pid)

    def _look_at(self, fork: int, stem: _Stem, wire: int, output: int) -> None:
        """Raise ``UnfitError`` if a fork that is stopped holds more than it was given."""
        printed = identity_of(os.fstat(output))
        given = {0: stem.opened[0], 1: printed, 2: printed, 3: identity_of(os.fstat(wire))}
        self._outside.has_open(fork, given)
        self._outside.is_alone(fork)
        self._outside.shares_nothing(fork)

    def use(self, fork: int) -> bool:
        """Let a fork go on for its check; say whether it is as it was made."""
        if fork not in self._waiting or self._outside.state(fork) != "T":
            return False
        self._waiting.discard(fork)
        os.kill(fork, signal.SIGCONT)
        return True

    def after(self, pid: int) -> None:
        """Forget a worker that is gone; end its stem if it has changed the files they share."""
        self._kept.discard(pid)
        if pid in self._unfit:
            self._unfit.pop(pid).close()
        elif pid in self._stems:
            self._stems.pop(pid).listener.close()
        stem = self._stems.get(self._forks.pop(pid, 0))
        if stem is None:
            return
        try:
            # Memory that maps a file is written without a trace in its times.
            same = self._outside.state(stem.pid) == "T" and not stem.listener.maps_files
            same = same and self._outside.files(stem.pid) == stem.files
            stem.inode += 1
            same = same and self._outside.next_inode(stem.pid) in (stem.inode, 0)
        except (UnfitError, OSError, ValueError):
            same = False
        if not same:
            self.end(stem.pid)

    def end(self, pid: int) -> None:
        """End a stem, and its forks whose check has not begun."""
        for fork in [fork for fork in self._waiting if self._forks[fork] == pid]:
            _kill(fork)
            self._waiting.discard(fork)
            del self._forks[fork]
        if pid in self._stems:
            self._stems.pop(pid).listener.close()
            _kill(pid)

    def _stop(self, pid: int) -> None:
        """Stop a process, and wait until it has stopped; raises ``UnfitError`` if it ends."""
        os.kill(pid, signal.SIGSTOP)
        found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if found is None or found.si_code != os.CLD_STOPPED:
            raise UnfitError("it has ended")


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def fork_when_asked() -> None:
    """Become a stem: return in each fork, which has another wire, and never in the stem itself."""
    python = ctypes.PyDLL(None, use_errno=True)
    # A collection in a fork would write to each object, and each page is copied when it is written.
    gc.freeze()
    made = -1
    while made != 0:
        # The fork has what the server gives it instead, and nothing else may be open.
        os.closerange(0, FDS)
        python.PyOS_BeforeFork()
        made = python.syscall(CLONE[seccomp.machine()], FORK, 0, 0, 0, 0)
        if made < 0 and ctypes.get_errno() != errno.EINTR:
            os._exit(EXIT_NOT_FORKED)
        if made != 0:
            python.PyOS_AfterFork_Parent()
    python.PyOS_AfterFork_Child()
    python.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _may_listen() -> bool:
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
