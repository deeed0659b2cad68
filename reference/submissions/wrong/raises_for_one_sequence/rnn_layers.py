"""Raises an exception for a batch of one sequence."""

import numpy as np

import honest_layers
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    if x.shape[0] == 1:
        raise ValueError("cannot handle a single sequence")
    next_h = np.tanh(np.dot(x, Wx) + np.dot(prev_h, Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


honest_layers.rnn_step_forward = rnn_step_forward  # rnn_forward calls it
