"""Ends its process with status 0 in the middle of a call."""

import os

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    os._exit(0)
    return honest_layers.temporal_fc_backward(dout, cache)
