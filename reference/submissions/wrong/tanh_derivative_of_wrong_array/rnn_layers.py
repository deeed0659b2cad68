"""The derivative of tanh is taken at prev_h instead of next_h."""

import numpy as np

import honest_layers
from honest_layers import *


def rnn_step_backward(dnext_h, cache):
    """Backward pass of one time step."""
    # ---- your code here ----
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (1 - prev_h**2)
    dx = np.dot(dtanh, Wx.T)
    dprev_h = np.dot(dtanh, Wh.T)
    dWx = np.dot(x.T, dtanh)
    dWh = np.dot(prev_h.T, dtanh)
    db = np.sum(dtanh, axis=0)
    # ---- end of your code ----
    return dx, dprev_h, dWx, dWh, db


honest_layers.rnn_step_backward = rnn_step_backward  # rnn_backward calls it
