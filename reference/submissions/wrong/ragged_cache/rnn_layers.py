"""The cache is put through np.array, which refuses tuples of arrays of different shapes."""

import numpy as np

from honest_layers import *


def rnn_forward(x, h0, Wx, Wh, b):
    """Whole sequence: x (T, N, D), h0 (N, H) -> h (T, N, H)."""
    # ---- your code here ----
    T, N, D = x.shape
    H = h0.shape[1]
    h = np.zeros((T, N, H), dtype=x.dtype)
    cache = []
    prev_h = h0
    for t in range(T):
        h[t], step_cache = rnn_step_forward(x[t], prev_h, Wx, Wh, b)
        cache.append(step_cache)
        prev_h = h[t]
    cache = np.array(cache)
    # ---- end of your code ----
    return h, cache
