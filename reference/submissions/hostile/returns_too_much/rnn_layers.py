"""Returns three quarters of a gigabyte."""

import numpy as np

from honest_layers import *


def temporal_fc_backward(dout, cache):
    return np.ones(2**25), np.ones(2**25), np.ones(2**25)
