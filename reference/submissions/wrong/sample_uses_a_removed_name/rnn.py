"""Sample uses np.int, which NumPy no longer has."""

import numpy as np

import honest_captioning


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def sample(self, features, max_length=30):
        word = np.full(len(features), self._start, dtype=np.int)
        return np.full((len(word), max_length), self._null)
