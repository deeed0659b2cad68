"""Raises an exception whose class is named like a script."""

from honest_layers import *

NAME = "<script>alert(1)</script>\x1b[2J=1+1"
Named = type(NAME, (Exception,), {"__module__": "builtins"})


def temporal_fc_backward(dout, cache):
    raise Named(NAME)
