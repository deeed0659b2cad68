"""Returns a generator that would yield for ever."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return (np.zeros_like(value) for value in iter(lambda: cache[0], None))
