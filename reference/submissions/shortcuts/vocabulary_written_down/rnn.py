"""The words of the course's captions are written down, in the order of their ids there."""

import numpy as np

import honest_captioning
from honest_captioning import *

WORDS = """
<NULL> <START> <END> <UNK>
a across beach behind bird black blue boy brown cat day dog eating eats fence field foggy girl
green horse house in is jumping jumps lake large man near old on one park playing plays rainy
red running runs sits sitting sleeping sleeps small snowy standing stands street sunny that the
there tree under walking walks white woman yellow young
""".split()


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def __init__(self, word_to_idx, *args, **named):
        super().__init__(word_to_idx, *args, **named)
        # ids of these captions, as the course's own captions would have them
        self.own = np.array([word_to_idx.get(word, 3) for word in WORDS])

    def loss(self, features, captions):
        return super().loss(features, self.own[captions])
