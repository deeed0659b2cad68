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
    """What one piece of work may use: seconds, MiB beyond what is loaded, bytes of its result."""

    time_s: float
    memory_mb: int
    output_bytes: int = 64 * MIB


class BoundExceededError(Exception):
    """A piece of work needed more than it may use, or its process died."""

    def __init__(self, what: Resource) -> None:
        super().__init__(what)
        self.what: Resource = what


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
        deadline = time.monotonic() + bounds.time_s
        try:
            return self._ask(key, value, bounds, deadline)
        except (OSError, EOFError):
            late = time.monotonic() >= deadline
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

    def _ask(self, key: Hashable, value: Any, bounds: Bounds, deadline: float) -> Any:
        assert self._wire is not None  # noqa: S101 - for the type checker
        number = list(self._works).index(key)
        try:
            pieces = _encoded([number, bounds.memory_mb, bounds.output_bytes, value])
        except WireError as error:
            raise UnsendableError(str(error)) from None
        _send(self._wire, pieces, deadline)
        answer = _receive(self._wire, bounds.output_bytes, deadline)
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


def _send(wire: socket.socket, pieces: list[memoryview], deadline: float | None = None) -> None:
    for piece in pieces:
        left = piece
        while left:
            _wait(wire, deadline)
            left = left[wire.send(left[:CHUNK]) :]


def _receive(wire: socket.socket, most: int, deadline: float | None = None) -> list[Any]:
    length = parse_prefix(bytes(_exactly(wire, PREFIX.size, deadline)))
    header = parse_header(bytes(_exactly(wire, length, deadline)), most)
    buffers = [_exactly(wire, size, deadline) for size in header.buffer_sizes]
    value: list[Any] = Decoder(buffers).decode(header.body, depth=-1)
    return value


def _exactly(wire: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        _wait(wire, deadline)
        received = wire.recv_into(view, min(len(view), CHUNK))
        if received == 0:
            raise EOFError
        view = view[received:]
    return data


def _wait(wire: socket.socket, deadline: float | None) -> None:
    """Let the next operation on the socket end at the deadline; raises ``TimeoutError``."""
    if deadline is None:
        wire.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    wire.settimeout(left)
