"""The gradient of a word that occurs several times is that of one place, not the sum over all."""

import numpy as np

from honest_layers import *


def word_embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape, dtype=dout.dtype)
    dW[x] += dout
    return dW
