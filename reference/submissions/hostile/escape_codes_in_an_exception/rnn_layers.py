"""Puts codes that steer a terminal into an exception and into what it prints."""

from honest_layers import *

TEXT = (
    "\x1b[2J\x1b[1;1H\x1b[32mall passed\x1b]0;100 / 100\x07\x1b]8;;http://example.org\x1b\\"
    "link\x9b31m\x08\x08\x08\rpassed\x0b\x0c\x00\x7f\u2028\u202e\u2066"
)


def temporal_fc_backward(dout, cache):
    print(TEXT)
    raise ValueError(TEXT)
