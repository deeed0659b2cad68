"""A limit for one call of student code, where what it returns is welcome and not needed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class TooSlowError(BaseException):
    """A call has used up its time."""


Limited = Callable[..., Any]  # calls its first argument with the others


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what runs in this block after some seconds, where the system has timers.

    Raises:
        TooSlowError: it was ended.
    """
    with _alarms() as has_timers:
        if not has_timers:
            yield
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def calls_at_most(seconds: float) -> Iterator[Limited]:
    """Yield what makes a call that ends after some seconds, where the system has timers.

    It is for many short calls: what is done for each of them takes a fifth of the time. It raises
    ``TooSlowError`` for a call that was ended.
    """
    with _alarms() as has_timers:
        if not has_timers:
            yield lambda function, *arguments: function(*arguments)
            return
        set_timer, real = signal.setitimer, signal.ITIMER_REAL

        def limited(function: Callable[..., Any], *arguments: Any) -> Any:
            set_timer(real, seconds)
            try:
                return function(*arguments)
            finally:
                set_timer(real, 0)

        yield limited


@contextlib.contextmanager
def _alarms() -> Iterator[bool]:
    """Let an alarm raise ``TooSlowError`` here; False if there are no timers."""

    def too_slow(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield False
        return
    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        yield True
    finally:
        signal.signal(signal.SIGALRM, before)
