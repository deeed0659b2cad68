"""Attacks that may cost a worker its life: each of them gets its own worker.

Like ``attacks.py``, this file is copied to where submissions are staged and imported there like
one. None of them harms a machine that stops nothing: memory, output and processes are also bounded
here.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

MAX_BOMB = 64  # processes that a bomb starts at most
MAX_EATEN = 4096  # MiB


def eats_memory() -> int:
    """Take memory until there is none; at most ``MAX_EATEN`` MiB."""
    kept = [b"x" * 2**20 for _ in range(MAX_EATEN)]
    return len(kept)


def computes_for_ever() -> None:
    """Ignore every signal that can be ignored, and compute."""
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleeps_for_ever() -> None:
    """Wait."""
    while True:
        time.sleep(60)


def prints_for_ever() -> None:
    """Print more than anybody wants to read; ends after 256 MiB where nothing stops it."""
    for _ in range(4096):
        os.write(1, b"x" * 2**16)


def starts_many_processes() -> int:
    """Fork processes that sleep in sessions of their own; return how many there are."""
    started = 0
    for _ in range(MAX_BOMB):
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            os.setsid()
            time.sleep(120)
            os._exit(0)
        started += 1
    return started


def ends_itself() -> None:
    """Leave without an answer."""
    os._exit(0)


def forges_an_answer() -> None:
    """Write a frame to the wire that announces more than fits into memory."""
    header = b'{"body":{},"buffers":[99999999999999]}'
    os.write(3, b"DLG\x01" + len(header).to_bytes(4, "little") + header)
    time.sleep(60)


def answers_one_byte_at_a_time() -> None:
    """Keep the grader waiting in the middle of a frame."""
    while True:
        os.write(3, b"D")
        time.sleep(0.2)


def returns_a_gigabyte() -> Any:
    """Return more than an answer may hold."""
    import numpy as np

    return np.zeros(2**27, np.uint8)


def sends_a_pickle() -> None:
    """Send a pickle instead of a frame."""
    import pickle

    os.write(3, pickle.dumps(print))
    time.sleep(60)
