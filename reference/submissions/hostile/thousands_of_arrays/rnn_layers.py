"""Returns five thousand arrays in place of each one."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple([np.zeros(1)] * 5000 for _ in cache)
