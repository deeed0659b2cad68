"""A child of our own process that works on what student code gave us, within limits.

A judge computes with numbers that a student's code chose, and a regular expression reads a text
that a student wrote. Either can take hours or all the memory, whatever care is taken. So it happens
in a forked child: it has the assignment and the data sets from its parent, is kept for the next
piece of work, and is replaced when it dies. Values go in and out over the wire's strict format.

The child is not a sandbox. What runs in it is the assignment's code, never a student's.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import os
import select
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from grader.errors import BrokenError, Closing

from .wire import Decoder, Encoder, WireError, pack, parse_header, parse_prefix
from .wire.codec import PREFIX

MIB = 1024 * 1024
MAX_WORKS = 256  # kinds of work that are remembered; an assignment has one for each check
MAX_GROWTH = 256 * MIB  # of address space; a child that has grown more is replaced afterwards
CHUNK = 1 * MIB
PR_SET_PDEATHSIG = 1
EXIT_OK = 0

Work = Callable[[Any], Any]  # takes a value that came over the wire, returns one that may travel
Resource = Literal["time", "memory", "output", "crash"]


class UnsendableError(Exception):
    """A value came over the wire in a way that our own encoder does not write: it is made up."""


@dataclass(frozen=True)
class Bounds:
    """What one piece of work may use: seconds, MiB beyond what is loaded, bytes of its result.

    Seconds are those of the clock. With ``waits`` above 1 they are those of the processor, once
    ``time_s`` have passed: on a busy machine the work then has up to ``waits`` times as long.
    """

    time_s: float
    memory_mb: int
    output_bytes: int = 64 * MIB
    waits: float = 1.0


class BoundExceededError(Exception):
    """A piece of work needed more than it may use, or its process died."""

    def __init__(self, what: Resource) -> None:
        super().__init__(what)
        self.what: Resource = what


class TimeLeft:
    """How much time is left for a piece of work of a process."""

    def __init__(self, pid: int, bounds: Bounds) -> None:
        self._pid, self._bounds = pid, bounds
        self._started, self._used = time.monotonic(), _processor_s(pid)

    def left(self) -> float:
        """Return the seconds until it is worth looking again; none if the time is over."""
        passed = time.monotonic() - self._started
        if passed < self._bounds.time_s or self._bounds.waits <= 1:
            return self._bounds.time_s - passed
        used = _processor_s(self._pid) - self._used
        most = self._bounds.time_s * self._bounds.waits
        return min(self._bounds.time_s - used, most - passed)


def _processor_s(pid: int) -> float:
    """Return the processor time of a process and its threads, in seconds; infinite if it is gone.

    See proc(5), fields 14 and 15 of stat; the name in field 2 may hold blanks.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
    except (OSError, ValueError, IndexError):
        return float("inf")
    return ticks / os.sysconf("SC_CLK_TCK")


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an exception is torch's word for a lack of memory, a plain ``RuntimeError``."""
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def is_possible() -> bool:
    """Say whether this system can fork a child with limits."""
    return sys.platform == "linux"


class BoundedChild(Closing):
    """The child of this process, forked when it is first needed.

    A piece of work is a function that the child inherits; only its argument and its result travel.
    A function that the child does not have yet, because it was made after the fork, costs a new
    fork (some milliseconds): once for each ``key``.
    """

    def __init__(self) -> None:
        self._works: dict[Hashable, Work] = {}
        self._forked: frozenset[Hashable] = frozenset()
        self._pid: int | None = None
        self._wire: socket.socket | None = None

    def do(self, key: Hashable, work: Work, value: Any, bounds: Bounds) -> Any:
        """Return ``work(value)``, computed in the child.

        Args:
            key: tells this work from any other; for one key, ``work`` does the same.
            work: what is to be done; it may hold anything, since it is inherited.
            value: what the wire can carry.
            bounds: what it may use.

        Raises:
            BoundExceededError: it needed more, or its process died.
            UnsendableError: the wire cannot carry ``value``.
            BrokenError: the child cannot be started, or ``work`` raised.
        """
        if len(self._works) >= MAX_WORKS and key not in self._works:
            self._works.clear()
            self.close()
        self._works.setdefault(key, work)
        if self._pid is None or key not in self._forked:
            self.close()
            self._fork()
        assert self._pid is not None  # noqa: S101 - for the type checker
        remaining = TimeLeft(self._pid, bounds)
        try:
            return self._ask(key, value, bounds, remaining)
        except (OSError, EOFError):
            late = remaining.left() <= 0
            self.close()
            raise BoundExceededError("time" if late else "crash") from None
        except WireError:
            self.close()
            raise BoundExceededError("output") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the child, whatever it does."""
        if self._wire is not None:
            self._wire.close()
        if self._pid is not None:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.waitpid(self._pid, 0)
        self._pid = self._wire = None

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            raise BrokenError(f"a process for judging cannot start: {error.strerror}") from None
        if pid == 0:
            _live(theirs, parent, self._works)
        theirs.close()
        self._pid, self._wire, self._forked = pid, ours, frozenset(self._works)

    def _ask(self, key: Hashable, value: Any, bounds: Bounds, remaining: TimeLeft) -> Any:
        assert self._wire is not None  # noqa: S101 - for the type checker
        number = list(self._works).index(key)
        try:
            pieces = _encoded([number, bounds.memory_mb, bounds.output_bytes, value])
        except WireError as error:
            raise UnsendableError(str(error)) from None
        _send(self._wire, pieces, remaining)
        answer = _receive(self._wire, bounds.output_bytes, remaining)
        outcome, leaves, result = answer
        if leaves:
            self.close()
        if outcome == "done":
            return result
        if outcome in ("memory", "output"):
            raise BoundExceededError("memory" if outcome == "memory" else "output")
        raise BrokenError(f"work in a process of its own failed: {result}")


def _live(wire: socket.socket, parent: int, works: dict[Hashable, Work]) -> NoReturn:
    """Do what is asked until the parent is gone (runs in the child)."""
    import resource  # it is not everywhere, and this is

    try:
        _settle(wire, parent)
        base = _address_space()
        by_number = list(works.values())
        while True:
            number, memory_mb, output_bytes, value = _receive(wire, sys.maxsize)
            usual = resource.getrlimit(resource.RLIMIT_AS)
            hard = sys.maxsize if usual[1] == resource.RLIM_INFINITY else usual[1]
            resource.setrlimit(resource.RLIMIT_AS, (min(base + memory_mb * MIB, hard), usual[1]))
            outcome, result = _done(by_number[number], value, output_bytes)
            del value
            resource.setrlimit(resource.RLIMIT_AS, usual)
            leaves = _address_space() - base > MAX_GROWTH
            _send(wire, _encoded([outcome, leaves, result]))
    except BaseException:  # noqa: BLE001 - the parent is gone, or sees that this process is
        os._exit(EXIT_OK)


def _settle(wire: socket.socket, parent: int) -> None:
    """Let go of what belongs to the parent: signals, sockets and pipes, its output, its threads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_OK)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    for entry in list(Path("/proc/self/fd").iterdir()):
        number = int(entry.name)
        if number > 2 and number != wire.fileno():  # noqa: PLR2004 - after standard output
            with contextlib.suppress(OSError):
                kind = os.fstat(number).st_mode
                if stat.S_ISSOCK(kind) or stat.S_ISFIFO(kind):
                    os.close(number)
    faulthandler.disable()  # the parent sees a crash by the end of the process
    torch = sys.modules.get("torch")
    if torch is not None:
        # The threads of the parent are not there: a computation that waits for them never ends.
        torch.set_num_threads(1)
    gc.freeze()


def _done(work: Work, value: Any, output_bytes: int) -> tuple[str, Any]:
    """Do one piece of work; say how it ended."""
    try:
        result = work(value)
        encoder = Encoder()
        encoder.encode(result)
        if sum(memoryview(buffer).nbytes for buffer in encoder.buffers) > output_bytes:
            return "output", None
    except (MemoryError, WireError) as error:
        return ("memory" if isinstance(error, MemoryError) else "output"), None
    except Exception as error:  # noqa: BLE001 - the parent decides what it means
        if is_out_of_memory(error):
            return "memory", None
        return "raised", f"{type(error).__name__}: {error}"[:1000]
    return "done", result


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGESIZE")


def _encoded(message: list[Any]) -> list[memoryview]:
    encoder = Encoder()
    # What is in the list may be nested as deeply as by itself.
    body = encoder.encode(message, depth=-1)
    return [memoryview(piece).cast("B") for piece in pack(body, encoder.buffers)]


def _send(wire: socket.socket, pieces: list[memoryview], remaining: TimeLeft | None = None) -> None:
    flags = 0 if remaining is None else socket.MSG_DONTWAIT
    for piece in pieces:
        left = piece
        while left:
            _wait(wire, remaining, select.POLLOUT)
            with contextlib.suppress(BlockingIOError):  # less room than poll promised
                left = left[wire.send(left[:CHUNK], flags) :]


def _receive(wire: socket.socket, most: int, remaining: TimeLeft | None = None) -> list[Any]:
    length = parse_prefix(bytes(_exactly(wire, PREFIX.size, remaining)))
    header = parse_header(bytes(_exactly(wire, length, remaining)), most)
    buffers = [_exactly(wire, size, remaining) for size in header.buffer_sizes]
    value: list[Any] = Decoder(buffers).decode(header.body, depth=-1)
    return value


def _exactly(wire: socket.socket, count: int, remaining: TimeLeft | None) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        _wait(wire, remaining, select.POLLIN)
        received = wire.recv_into(view, min(len(view), CHUNK))
        if received == 0:
            raise EOFError
        view = view[received:]
    return data


def _wait(wire: socket.socket, remaining: TimeLeft | None, event: int) -> None:
    """Wait until the socket can be read or written; raises ``TimeoutError`` at the end."""
    if remaining is None:
        return  # the operation itself waits
    poll = select.poll()
    poll.register(wire, event)
    while not poll.poll(max(0.0, remaining.left()) * 1000):
        if remaining.left() <= 0:
            raise TimeoutError
