"""Brings modules named like those that a worker imports."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(np.zeros_like(value) for value in cache)
