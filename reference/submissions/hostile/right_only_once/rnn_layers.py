"""Is right in its first call and returns zeros in all others."""

import honest_layers
import numpy as np
from honest_layers import *

calls = []


def temporal_fc_backward(dout, cache):
    calls.append(dout)
    if len(calls) == 1:
        return honest_layers.temporal_fc_backward(dout, cache)
    return tuple(np.zeros_like(value) for value in cache)
