"""The gradients of a step, of different shapes, are put into one np.array."""

import numpy as np

from honest_layers import *


def rnn_backward(dh, cache):
    """Backward pass of the whole sequence, dh is (T, N, H)."""
    # ---- your code here ----
    T, N, H = dh.shape
    Wx = cache[0][2]
    D = Wx.shape[0]
    dx = np.zeros((T, N, D), dtype=dh.dtype)
    dWx = np.zeros((D, H), dtype=dh.dtype)
    dWh = np.zeros((H, H), dtype=dh.dtype)
    db = np.zeros(H, dtype=dh.dtype)
    dprev_h = np.zeros((N, H), dtype=dh.dtype)
    for t in range(T - 1, -1, -1):
        dnext_h = dh[t] + dprev_h
        grads = np.array(rnn_step_backward(dnext_h, cache[t]))
        dx[t] = grads[0]
        dprev_h = grads[1]
        dWx += grads[2]
        dWh += grads[3]
        db += grads[4]
    dh0 = dprev_h
    # ---- end of your code ----
    return dx, dh0, dWx, dWh, db
