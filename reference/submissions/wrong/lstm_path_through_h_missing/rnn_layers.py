"""The cell state gets no gradient through next_h = o * tanh(next_c)."""

import numpy as np

import honest_layers
from honest_layers import *


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Backward pass of one time step."""
    # ---- your code here ----
    x, prev_h, prev_c, Wx, Wh, f, i, g, o, next_c = cache
    # output gate
    dao = dnext_h * np.tanh(next_c) * o * (1 - o)
    # cell state
    daf = dnext_c * prev_c * f * (1 - f)
    dai = dnext_c * g * i * (1 - i)
    dag = dnext_c * i * (1 - g**2)
    dprev_c = dnext_c * f
    da = np.hstack((daf, dai, dag, dao))
    dx = np.dot(da, Wx.T)
    dprev_h = np.dot(da, Wh.T)
    dWx = np.dot(x.T, da)
    dWh = np.dot(prev_h.T, da)
    db = np.sum(da, axis=0)
    # ---- end of your code ----
    return dx, dprev_h, dprev_c, dWx, dWh, db


honest_layers.lstm_step_backward = lstm_step_backward  # lstm_backward calls it
