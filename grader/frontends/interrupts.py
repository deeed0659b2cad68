"""Ctrl-C: one sentence and exit status 130, at any moment and however often it is pressed.

Until a command runs, nothing is written and nothing is open: the program ends at once. Python's
``KeyboardInterrupt`` would get lost in the callbacks of an import, or end as a traceback.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

EXIT_STATUS = 130  # 128 and the number of SIGINT, as shells do


def end_at_once() -> None:
    """Let Ctrl-C end the program without delay, unless it is ignored already."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _handle(_end)


def catch() -> None:
    """Let Ctrl-C raise ``KeyboardInterrupt`` from now on, once."""
    if signal.getsignal(signal.SIGINT) is _end:
        _handle(_raise)


def ignore() -> None:
    """Ignore further Ctrl-C: what is left to do takes a moment, and half of it helps nobody."""
    _handle(signal.SIG_IGN)  # Python keeps it while it shuts down, unlike a function


def _handle(handler: signal._HANDLER) -> None:
    with suppress(ValueError):  # not in the main thread, which alone hears of signals
        signal.signal(signal.SIGINT, handler)


def _end(_signal: int, _frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(EXIT_STATUS)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    ignore()  # a second one must not interrupt what the first one leads to
    raise KeyboardInterrupt
