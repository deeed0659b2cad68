"""Allocates all the memory it can get."""

import numpy as np

from honest_layers import *


def temporal_fc_backward(dout, cache):
    hoard = []
    while True:
        hoard.append(np.zeros(2**24))
