"""A GRU, under the name LSTM."""

import torch
from torch import nn

from honest_sentences import *


class LSTM(RNNModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        self.rnn = nn.GRU(dimension, hidden, batch_first=True)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(LSTM, data, vectors, seed, epochs=10, lr=0.005)
