"""The hidden size is computed with / instead of //, so arrays are allocated with a float size."""

import numpy as np

from honest_layers import *


def lstm_backward(dh, cache):
    """Backward pass of the whole sequence, dh is (T, N, H)."""
    # ---- your code here ----
    T, N, _ = dh.shape
    Wx = cache[0][3]
    D = Wx.shape[0]
    H = Wx.shape[1] / 4
    dx = np.zeros((T, N, D), dtype=dh.dtype)
    dWx = np.zeros((D, 4 * H), dtype=dh.dtype)
    dWh = np.zeros((H, 4 * H), dtype=dh.dtype)
    db = np.zeros(4 * H, dtype=dh.dtype)
    dprev_h = np.zeros((N, H), dtype=dh.dtype)
    dprev_c = np.zeros((N, H), dtype=dh.dtype)
    for t in range(T - 1, -1, -1):
        dnext_h = dh[t] + dprev_h
        step_grads = lstm_step_backward(dnext_h, dprev_c, cache[t])
        dx[t], dprev_h, dprev_c, dWx_t, dWh_t, db_t = step_grads
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev_h
    # ---- end of your code ----
    return dx, dh0, dWx, dWh, db
