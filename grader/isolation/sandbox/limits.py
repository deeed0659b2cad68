"""What a worker may use, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.errors import WorkerLost

CPU_MARGIN = 2  # times the wall clock: the hard stop behind the grader's own deadline
MIB = 1024 * 1024
SCRATCH_MB = 256  # a few checkpoints of a ResNet-18, 45 MiB each
SIGKILL, SIGSEGV, SIGBUS, SIGXCPU = 9, 11, 7, 24
BUSY_SHARE = 0.5  # of its time, computing or ready to: then a timeout is the worker's own fault
EXIT_STUCK = 96  # grader/isolation/worker/clock.py
UNANSWERED = " before it returned a value"
MAX_REPLY_BYTES = 64 * MIB  # the largest honest reply, a small network's parameters, is 45 MiB


@dataclass(frozen=True)
class Limits:
    """Limits of one worker, which serves one check.

    Attributes:
        timeout_s: wall-clock seconds for everything the worker does for its check.
        memory_mb: address space in MiB on top of what the libraries take.
        output_kb: KiB it may print.
        max_reply_bytes: bytes of arrays in one reply.
        scratch_mb: MiB of files that it may keep while it lives; with 0 it has no folder for them.
    """

    timeout_s: float
    memory_mb: int
    output_kb: int
    max_reply_bytes: int = MAX_REPLY_BYTES
    scratch_mb: int = SCRATCH_MB

    @property
    def cpu_s(self) -> int:
        """Seconds of processor time after which the kernel ends the worker."""
        return math.ceil(self.timeout_s * CPU_MARGIN) + 1

    def reply_bytes(self, calls: int) -> int:
        """Return how many bytes of arrays the answers to several calls may hold together."""
        return max(self.max_reply_bytes, min(self.max_reply_bytes * calls, MAX_REPLY_BYTES))


@dataclass(frozen=True)
class Spent:
    """What loading its module has taken of a worker's time, though another one has done it.

    ``wall_s`` counts against its limit; ``busy_s`` is for how long it computed, or could have.
    """

    wall_s: float = 0.0
    busy_s: float = 0.0


NOTHING = Spent()


@dataclass(frozen=True)
class Ending:
    """How a worker ended: ``exit_code`` is None if it was alive until the grader ended it.

    ``cpu_s`` is the time it computed, ``queued_s`` the time it waited for a processor that other
    processes used.
    """

    exit_code: int | None
    cpu_s: float
    strays: int
    queued_s: float = 0.0


def timed_out(ending: Ending, limits: Limits, spent: Spent) -> WorkerLost:
    """Return what is raised about a worker that has used up its time."""
    seconds = f"{limits.timeout_s:g} s"
    busy_s = ending.cpu_s + ending.queued_s + spent.busy_s
    if busy_s >= BUSY_SHARE * limits.timeout_s:
        # It was computing all the time: a second try would take just as long.
        message = f"did not finish within {seconds}: is there an endless loop?"
        return WorkerLost("timeout", message, retry=False)
    message = f"did not finish within {seconds} (it was waiting most of the time)"
    return WorkerLost("timeout", message, retry=True)


def died(ending: Ending, limits: Limits, *, in_statement: bool) -> WorkerLost:
    """Return what is raised about a worker that is gone.

    ``in_statement`` says whether a statement outside all functions was running.
    """
    code = ending.exit_code
    if code is None:
        message = "closed its connection to the grader"
    elif code == -SIGXCPU or (code == -SIGKILL and ending.cpu_s >= limits.cpu_s - 1):
        message = f"used more than {limits.cpu_s} s of processor time"
        return WorkerLost("timeout", message, retry=False)
    elif code == EXIT_STUCK and in_statement:
        message = "a statement outside the functions catches every exception and does not end"
        return WorkerLost("timeout", message, retry=False)
    else:
        message = _exited(code, limits.scratch_mb)
    return WorkerLost("crashed", message, retry=True)


def _exited(code: int, scratch_mb: int) -> str:
    """Return the words for a process that ended by itself, with an exit status or by a signal."""
    if code == -SIGBUS:
        return (
            "the process crashed (bus error): a file that is mapped into memory has no room; "
            f"files may take {scratch_mb} MiB together"
        )
    if code == -SIGSEGV:
        return "the process crashed (segmentation fault; very deep recursion can cause it)"
    if code < 0:
        return f"the process was killed by signal {-code}"
    return f"the process exited with status {code}{UNANSWERED}"
