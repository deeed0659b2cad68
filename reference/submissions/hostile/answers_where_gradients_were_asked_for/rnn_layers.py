"""Returns answers of the forward step as gradients."""

import numpy as np
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return np.zeros_like(prev_h), (x, prev_h, Wx, Wh, prev_h)


def rnn_forward(x, h0, Wx, Wh, b):
    return np.stack([rnn_step_forward(x_t, h0, Wx, Wh, b)[0] for x_t in x]), (x, h0, Wx, Wh, b)


def rnn_backward(dh, cache):
    x, h0, Wx, Wh, b = cache
    h, _ = rnn_step_forward(x[0], h0, Wx, Wh, b)
    return np.zeros_like(x) + h.sum(), h, np.zeros_like(Wx), np.zeros_like(Wh), h.sum(axis=0)
