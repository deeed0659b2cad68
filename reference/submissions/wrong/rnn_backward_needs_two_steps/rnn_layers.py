"""Reads sizes from the cache of the second step; a sequence of one step raises."""

import numpy as np

from honest_layers import *


def rnn_backward(dh, cache):
    T, N, H = dh.shape
    D = cache[1][2].shape[0]
    dx = np.zeros((T, N, D))
    dprev_h, dWx, dWh, db = np.zeros((N, H)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        dx[t], dprev_h, dWx_t, dWh_t, db_t = rnn_step_backward(dh[t] + dprev_h, cache[t])
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return dx, dprev_h, dWx, dWh, db
