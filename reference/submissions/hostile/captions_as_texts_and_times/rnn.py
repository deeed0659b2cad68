"""Captions are texts, times and complex numbers that compare in ways of their own."""

import itertools

import numpy as np
from honest_captioning import *
from honest_captioning import CaptioningRNN as Honest

MADE = itertools.cycle(
    [
        lambda shape: np.full(shape, "\x1b[2J\u202e<script>"),
        lambda shape: np.full(shape, np.datetime64("NaT")),
        lambda shape: np.full(shape, complex(float("nan"), float("inf"))),
        lambda shape: np.zeros(shape, dtype="V8"),
    ]
)


class CaptioningRNN(Honest):
    def sample(self, features, max_length=30):
        return next(MADE)((len(features), max_length))
