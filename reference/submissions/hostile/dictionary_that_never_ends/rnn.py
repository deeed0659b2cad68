"""A dictionary of gradients whose items never end."""

import itertools

import numpy as np
from honest_captioning import *
from honest_captioning import CaptioningRNN as Honest


class Endless(dict):
    def items(self):
        return ((f"name{i}", np.zeros(10_000)) for i in itertools.count())


class CaptioningRNN(Honest):
    def loss(self, features, captions):
        return 1.0, Endless()
