"""Returns an integer of a million digits as loss."""

import honest_layers
from honest_layers import *


def temporal_softmax_loss(x, y, mask):
    loss, dx = honest_layers.temporal_softmax_loss(x, y, mask)
    return 10**1_000_000, dx
