"""A squeeze() at the end drops the batch axis of next_h for N = 1."""

import numpy as np

import honest_layers
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One time step: x (N, D), prev_h (N, H) -> next_h (N, H)."""
    # ---- your code here ----
    next_h = np.tanh(np.dot(x, Wx) + np.dot(prev_h, Wh) + b)
    next_h = next_h.squeeze()
    cache = (x, prev_h, Wx, Wh, next_h)
    # ---- end of your code ----
    return next_h, cache


honest_layers.rnn_step_forward = rnn_step_forward  # rnn_forward calls it
