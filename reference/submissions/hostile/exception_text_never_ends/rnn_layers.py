"""Raises an exception whose text is computed for ever."""

from honest_layers import *


class Endless(Exception):
    def __str__(self):
        while True:
            pass


def temporal_fc_backward(dout, cache):
    raise Endless
