"""Imports a package named like a script, which a note about it would show."""

import honest_layers
from honest_layers import *

missing = __import__("<script>alert(1)</script>\x1b[2J=1+1")


def temporal_fc_backward(dout, cache):
    return honest_layers.temporal_fc_backward(dout, cache)
