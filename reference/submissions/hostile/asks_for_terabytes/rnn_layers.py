"""Calls an answered function with arrays whose product takes terabytes."""

import numpy as np
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return np.zeros_like(prev_h), (x, prev_h, Wx, Wh, prev_h)


def rnn_forward(x, h0, Wx, Wh, b):
    n = 1 << 20
    empty, wide = np.zeros((n, 0)), np.zeros((0, n))
    for _ in range(100):
        try:
            rnn_step_forward(empty, empty, wide, wide, np.zeros(n))
        except Exception:
            continue
    return np.zeros((*x.shape[:2], h0.shape[1])), None
