"""Returns the right numbers in shapes with axes of length one in front."""

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return tuple(value[np.newaxis] for value in honest_layers.temporal_fc_backward(dout, cache))
