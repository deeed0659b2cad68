"""Returns a view of eight bytes that looks like a terabyte."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(np.broadcast_to(np.zeros(1), (2**37,)) for _ in cache)
