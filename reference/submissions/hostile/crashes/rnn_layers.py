"""Reads address 0, a segmentation fault."""

import ctypes

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    ctypes.string_at(0)
    return honest_layers.temporal_fc_backward(dout, cache)
