"""Aborts the process, which would write a core file."""

import os

from honest_layers import *


def temporal_fc_backward(dout, cache):
    os.abort()
