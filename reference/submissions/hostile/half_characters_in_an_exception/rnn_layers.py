"""Puts halves of characters, which no file can hold, into an exception."""

from honest_layers import *

TEXT = "\ud800 \udfff \udc80 \x00 \ufffe passed"


def temporal_fc_backward(dout, cache):
    print(TEXT)
    raise ValueError(TEXT)
