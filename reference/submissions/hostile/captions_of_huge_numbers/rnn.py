"""Captions are integers at the end of their range, where a sum or a product wraps."""

import numpy as np
from honest_captioning import *
from honest_captioning import CaptioningRNN as Honest

EDGES = np.array([-(2**63), 2**63 - 1, -1, 2**62], dtype=np.int64)


class CaptioningRNN(Honest):
    def sample(self, features, max_length=30):
        return np.resize(EDGES, (len(features), max_length))
