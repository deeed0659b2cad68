"""Sleeps for ever."""

import time

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    time.sleep(10**6)
    return honest_layers.temporal_fc_backward(dout, cache)
