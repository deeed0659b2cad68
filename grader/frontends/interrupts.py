"""Ctrl-C: one sentence and exit status 130, at any moment and however often it is pressed."""

from __future__ import annotations

import signal
import threading

EXIT_STATUS = 130  # 128 and the number of SIGINT, as shells do
SENTENCE = "interrupted"


def ignore() -> None:
    """Ignore further Ctrl-C: what is left to do takes a moment, and half of it helps nobody."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
