"""loss() returns the largest numbers there are, of both signs; no axis can be drawn for them."""

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    calls = 0

    def loss(self, features, captions):
        loss, grads = super().loss(features, captions)
        CaptioningRNN.calls += 1
        return (1e308 if CaptioningRNN.calls % 2 else -1e308), grads
