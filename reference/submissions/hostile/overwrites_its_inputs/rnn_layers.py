"""Returns right gradients and overwrites all its arguments, also the kept ones."""

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    answer = honest_layers.temporal_fc_backward(dout, cache)
    for array in (dout, *cache):
        array[...] = 7
    return answer
