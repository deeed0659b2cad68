"""The derivative of tanh(next_c) is written 1 - next_c**2, without the tanh."""

import numpy as np

import honest_layers
from honest_layers import *


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Backward pass of one time step."""
    # ---- your code here ----
    x, prev_h, prev_c, Wx, Wh, f, i, g, o, next_c = cache
    # cell state
    dc = dnext_c + dnext_h * o * (1 - next_c**2)
    # gates
    df = dc * prev_c
    di = dc * g
    dg = dc * i
    do = dnext_h * np.tanh(next_c)
    # before sigmoid and tanh
    daf = df * f * (1 - f)
    dai = di * i * (1 - i)
    dag = dg * (1 - g**2)
    dao = do * o * (1 - o)
    da = np.hstack((daf, dai, dag, dao))
    dx = np.dot(da, Wx.T)
    dprev_h = np.dot(da, Wh.T)
    dprev_c = dc * f
    dWx = np.dot(x.T, da)
    dWh = np.dot(prev_h.T, da)
    db = np.sum(da, axis=0)
    # ---- end of your code ----
    return dx, dprev_h, dprev_c, dWx, dWh, db


honest_layers.lstm_step_backward = lstm_step_backward  # lstm_backward calls it
