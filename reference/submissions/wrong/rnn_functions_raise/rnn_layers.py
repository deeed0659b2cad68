"""Raises an exception in every function of the recurrent network, after it is written."""

from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    raise ValueError("shapes do not match")


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    raise ValueError("shapes do not match")


def rnn_forward(x, h0, Wx, Wh, b):
    raise ValueError("shapes do not match")


def rnn_backward(dh, cache):
    x, prev_h, Wx, Wh, next_h = cache[0]
    raise ValueError("shapes do not match")
