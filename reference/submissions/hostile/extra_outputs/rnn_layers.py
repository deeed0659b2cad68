"""Returns the right gradients and an opinion on them."""

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    return *honest_layers.temporal_fc_backward(dout, cache), "correct"
