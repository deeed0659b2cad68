"""A limit for one call of student code, where what it returns is welcome and not needed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class TooSlowError(BaseException):
    """A call has used up its time."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what runs in this block after some seconds, where the system has timers.

    Raises:
        TooSlowError: it was ended.
    """

    def too_slow(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
