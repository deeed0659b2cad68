"""Computes for ever."""

from honest_layers import *


def temporal_fc_backward(dout, cache):
    while True:
        pass
