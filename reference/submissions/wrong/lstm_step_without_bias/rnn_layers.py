"""The bias is not added."""

import numpy as np

import honest_layers
from honest_layers import *


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """One time step: x (N, D), prev_h and prev_c (N, H) -> next_h, next_c (N, H)."""
    # ---- your code here ----
    H = prev_h.shape[1]
    a = np.dot(x, Wx) + np.dot(prev_h, Wh)
    f = sigmoid(a[:, 0:H])
    i = sigmoid(a[:, H : 2 * H])
    g = np.tanh(a[:, 2 * H : 3 * H])
    o = sigmoid(a[:, 3 * H : 4 * H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, f, i, g, o, next_c)
    # ---- end of your code ----
    return next_h, next_c, cache


honest_layers.lstm_step_forward = lstm_step_forward  # lstm_forward calls it
