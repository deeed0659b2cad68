"""What every target of the fuzzer shares: a clock, a cap on memory, and counts of what came out."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

CORPUS = Path(__file__).parent / "corpus"
MIB = 1 << 20
PATIENCE = 6  # times the processor time that may go by on the clock
# The share of a long run that is wanted; without it, a short one.
SHARE = float(os.environ.get("GRADER_FUZZ", "0"))
LONG = SHARE > 0
COUNTS: defaultdict[str, Counter[str]] = defaultdict(Counter)


class TooSlowError(AssertionError):
    """An input took longer than its target may take for any input."""


def fuzzing(short: int, long: int) -> settings:
    """Return the settings of a target: ``short`` examples in every test run, ``long`` by demand.

    The short run draws the same examples each time, so that it fails for whoever changed the code;
    the long one draws new ones and keeps what it found.
    """
    return settings(
        max_examples=max(1, round(SHARE * long)) if LONG else short,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def count(target: str, outcome: str) -> None:
    """Count what an input led to, for the summary."""
    COUNTS[target][outcome] += 1


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt what is done inside after ``seconds`` of computing, or much more of waiting.

    The other processes of a busy machine are not the fault of what is tested.
    """

    def ring(_signal: int, _frame: Any) -> None:
        raise TooSlowError(f"not done within {seconds:g} s")

    clocks = {
        signal.SIGPROF: (signal.ITIMER_PROF, seconds),
        signal.SIGALRM: (signal.ITIMER_REAL, seconds * PATIENCE),
    }
    before = {number: signal.signal(number, ring) for number in clocks}
    for timer, limit in clocks.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer, _limit in clocks.values():
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def at_most(extra_bytes: int) -> Iterator[None]:
    """Let this process map no more than ``extra_bytes`` beyond what it has mapped already."""
    with open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + extra_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
