"""The last two outputs of rnn_backward are exchanged."""

import honest_layers
from honest_layers import *


def rnn_backward(dh, cache):
    dx, dh0, dWx, dWh, db = honest_layers.rnn_backward(dh, cache)
    return dx, dh0, dWx, db, dWh
