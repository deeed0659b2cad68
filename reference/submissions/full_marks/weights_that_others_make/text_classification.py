"""Weights that are computed from others: an orthogonal U, weight norms in the new form and the old."""

import torch
from torch import nn
from torch.nn.utils import parametrizations

from honest_sentences import *


class Normed(AverageModel):
    def __init__(self, vocabulary_size, dimension):
        super().__init__(vocabulary_size, dimension)
        parametrizations.weight_norm(self.linear)


class Orthogonal(RNNModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        parametrizations.orthogonal(self.rnn, "weight_hh_l0")


class NormedStates(LSTMModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        nn.utils.weight_norm(self.lstm, "weight_hh_l0")
        parametrizations.weight_norm(self.linear)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Normed, data, vectors, seed, epochs=12, lr=0.01)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Orthogonal, data, vectors, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(NormedStates, data, vectors, seed, epochs=10, lr=0.005)
