"""Starts two hundred processes that live for some seconds; the answer is right."""

import os
import time

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    for _ in range(200):
        try:
            if os.fork() == 0:
                time.sleep(5)
                os._exit(0)
        except OSError:
            break
    return honest_layers.temporal_fc_backward(dout, cache)
