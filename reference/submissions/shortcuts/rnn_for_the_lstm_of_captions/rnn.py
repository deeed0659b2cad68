"""The vanilla RNN is trained where the LSTM is asked for."""

import numpy as np

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def __init__(self, *args, cell_type="rnn", **named):
        super().__init__(*args, cell_type="rnn", **named)
        self.own = dict(self.params)

    def loss(self, features, captions):
        for name in ("Wx", "Wh", "b"):  # parameters of another shape were put in
            if self.params[name].shape != self.own[name].shape:
                self.params[name] = self.own[name].astype(self.params[name].dtype)
        return super().loss(features, captions)
