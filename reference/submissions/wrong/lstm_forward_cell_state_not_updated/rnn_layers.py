"""The cell state that a step returns is not handed to the next one, which starts from zeros."""

import numpy as np

from honest_layers import *


def lstm_forward(x, h0, Wx, Wh, b):
    """Whole sequence: x (T, N, D), h0 (N, H) -> h (T, N, H), first cell state is 0."""
    # ---- your code here ----
    prev_h, prev_c = h0, np.zeros_like(h0)
    states, cache = [], []
    for x_t in x:
        next_h, next_c, step_cache = lstm_step_forward(x_t, prev_h, prev_c, Wx, Wh, b)
        states.append(next_h)
        cache.append(step_cache)
        prev_h = next_h
    h = np.stack(states)
    # ---- end of your code ----
    return h, cache
