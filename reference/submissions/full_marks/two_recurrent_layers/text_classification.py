"""Recurrent networks with two layers, time first, and dropout between the layers."""

import torch
from torch import nn

from honest_sentences import *


class TwoLayers(nn.Module):
    """Two layers of a recurrent network of torch; the axis of time comes first."""

    def __init__(self, vocabulary_size, dimension, kind, hidden=40):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.recurrent = kind(dimension, hidden, num_layers=2, dropout=0.2)
        self.out = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        outputs, _ = self.recurrent(self.embedding(indices.T))
        last = outputs[lengths - 1, torch.arange(len(indices))]
        return torch.sigmoid(self.out(last)).squeeze(1)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(TwoLayers, data, vectors, seed, epochs=18, lr=0.002, kind=nn.RNN)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(TwoLayers, data, vectors, seed, epochs=10, lr=0.005, kind=nn.LSTM)
