"""Each step starts from h0; the caches of the steps lie in a dictionary, beside a matrix."""

import numpy as np

from honest_layers import *


def rnn_forward(x, h0, Wx, Wh, b):
    """Whole sequence: x (T, N, D), h0 (N, H) -> h (T, N, H)."""
    # ---- your code here ----
    h = np.zeros((*x.shape[:2], h0.shape[1]), dtype=x.dtype)
    steps = []
    for t in range(len(x)):
        h[t], step_cache = rnn_step_forward(x[t], h0, Wx, Wh, b)
        steps.append(step_cache)
    cache = {"steps": steps, "Wx": Wx}
    # ---- end of your code ----
    return h, cache


def rnn_backward(dh, cache):
    """Backward pass of the whole sequence, dh is (T, N, H)."""
    # ---- your code here ----
    steps, Wx = cache["steps"], cache["Wx"]
    T, N, H = dh.shape
    dx = np.zeros((T, N, len(Wx)), dtype=dh.dtype)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros((H, H), dtype=dh.dtype), np.zeros(H, dtype=dh.dtype)
    dprev_h = np.zeros((N, H), dtype=dh.dtype)
    for t in reversed(range(T)):
        dx[t], dprev_h, dWx_t, dWh_t, db_t = rnn_step_backward(dh[t] + dprev_h, steps[t])
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    # ---- end of your code ----
    return dx, dprev_h, dWx, dWh, db
