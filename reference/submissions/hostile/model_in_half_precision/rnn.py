"""Computes in half precision inside and hands out double precision."""

import numpy as np
from honest_captioning import *
from honest_captioning import CaptioningRNN as Honest


class CaptioningRNN(Honest):
    def loss(self, features, captions):
        full = self.params
        self.params = {name: value.astype(np.float16) for name, value in full.items()}
        loss, grads = Honest.loss(self, features.astype(np.float16), captions)
        self.params = full
        return float(loss), {name: value.astype(np.float64) for name, value in grads.items()}
