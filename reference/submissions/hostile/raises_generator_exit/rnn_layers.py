"""Raises GeneratorExit, as if a generator had been closed."""

from honest_layers import *


def temporal_fc_backward(dout, cache):
    raise GeneratorExit
