"""Raises KeyboardInterrupt, as if a person had stopped the grading."""

from honest_layers import *


def temporal_fc_backward(dout, cache):
    raise KeyboardInterrupt
