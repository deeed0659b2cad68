"""Matches a regular expression that takes for ever, outside of Python's own loop."""

import re

from honest_layers import *


def temporal_fc_backward(dout, cache):
    return re.match(r"(a+)+$", "a" * 60 + "b")
