"""Calls sys.exit from a handler of the alarm signal."""

import signal
import sys
import time

import numpy as np
from honest_layers import *


def finish(number, frame):
    sys.exit(0)


def temporal_fc_backward(dout, cache):
    signal.signal(signal.SIGALRM, finish)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(2)
    return tuple(np.zeros_like(value) for value in cache)
