"""The hidden states are NaN, and so are the gradients."""

import numpy as np

import honest_layers
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.full(prev_h.shape, np.nan)
    next_h[0, 0] = x.sum() + prev_h.sum() + Wx.sum() + Wh.sum() + b.sum()
    return next_h, (x, prev_h, Wx, Wh, b)


def rnn_step_backward(dnext_h, cache):
    return tuple(np.full(array.shape, np.nan) for array in cache)


def rnn_backward(dh, cache):
    x, h0 = np.stack([step[0] for step in cache]), cache[0][1]
    return tuple(np.full(array.shape, np.nan) for array in (x, h0, *cache[0][2:]))


honest_layers.rnn_step_forward = rnn_step_forward  # for rnn_forward
