"""Stops its process, as if it had been suspended from outside."""

import os
import signal

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    os.kill(os.getpid(), signal.SIGSTOP)
    return tuple(np.zeros_like(value) for value in cache)
