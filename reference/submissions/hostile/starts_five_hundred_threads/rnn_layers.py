"""Starts five hundred threads; the answer is right."""

import threading

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    done = threading.Event()
    threads = []
    try:
        for _ in range(500):
            thread = threading.Thread(target=done.wait, args=(5,), daemon=True)
            thread.start()
            threads.append(thread)
    except (RuntimeError, MemoryError):
        pass
    done.set()
    for thread in threads:
        thread.join()
    return honest_layers.temporal_fc_backward(dout, cache)
