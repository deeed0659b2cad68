"""Raises a chain of ten thousand exceptions, each the cause of the next."""

from honest_layers import *


def temporal_fc_backward(dout, cache):
    error = ValueError("first")
    for number in range(10_000):
        following = ValueError(number)
        following.__cause__ = error
        error = following
    raise error
