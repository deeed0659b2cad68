"""Raises StopIteration, as if a loop had come to its end."""

from honest_layers import *


def temporal_fc_backward(dout, cache):
    raise StopIteration
