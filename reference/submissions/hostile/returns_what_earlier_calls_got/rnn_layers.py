"""Keeps the arguments of every call and returns them as gradients."""

import honest_layers
from honest_layers import *

seen = []


def temporal_fc_forward(x, w, b):
    seen.append((x, w, b))
    return honest_layers.temporal_fc_forward(x, w, b)


def temporal_fc_backward(dout, cache):
    return seen[-1]
