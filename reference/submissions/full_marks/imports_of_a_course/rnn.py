"""Imports its neighbors as the course's package does, and compares texts with "is"."""

import numpy as np
from cs231n.rnn_layers import *
from .honest_layers import lstm_step_forward
from . import honest_captioning


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def sample(self, features, max_length=30):
        if self.cell_type is "rnn" or self.cell_type is "lstm":
            return super().sample(features, max_length)
        raise ValueError(self.cell_type)
