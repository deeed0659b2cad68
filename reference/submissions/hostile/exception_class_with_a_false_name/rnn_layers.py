"""Raises an exception whose class has no text for a name."""

from honest_layers import *


class Meta(type):
    __name__ = property(lambda cls: 0)
    __module__ = property(lambda cls: [])


class Nameless(BaseException, metaclass=Meta):
    pass


def temporal_fc_backward(dout, cache):
    raise Nameless
