"""Returns the right numbers as lists of lists."""

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(value.tolist() for value in honest_layers.temporal_fc_backward(dout, cache))
