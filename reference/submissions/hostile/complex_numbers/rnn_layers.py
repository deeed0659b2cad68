"""Returns the right numbers as complex ones, with an imaginary part of zero."""

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(value.astype(complex) for value in honest_layers.temporal_fc_backward(dout, cache))
