"""nn.RNN lacks batch_first and reads across the sentences of a batch."""

from torch import nn

import honest_sentences
from honest_sentences import *


class RNNModel(honest_sentences.RNNModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        self.rnn = nn.RNN(dimension, hidden)


honest_sentences.RNNModel = RNNModel  # train_rnn calls it
