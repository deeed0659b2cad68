"""Cells of its own: one matrix for the word and the state together, gates in the order f, i, o, g."""

import torch
from torch import nn

from honest_sentences import *


class OwnCell(nn.Module):
    """Reads [x, h] with one matrix; ``gates`` is 1 (vanilla RNN) or 4 (LSTM)."""

    def __init__(self, vocabulary_size, dimension, gates, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.gates, self.hidden = gates, hidden
        self.W = nn.Parameter(torch.randn(dimension + hidden, gates * hidden) * 0.1)
        self.b = nn.Parameter(torch.zeros(gates * hidden))
        if gates == 1:
            nn.init.orthogonal_(self.W.data[dimension:])
        self.V = nn.Parameter(torch.randn(hidden) * 0.1)
        self.c = nn.Parameter(torch.zeros(()))

    def forward(self, indices, lengths):
        x = self.embedding(indices)
        h = torch.zeros(len(indices), self.hidden)
        c = torch.zeros(len(indices), self.hidden)
        for t in range(indices.shape[1]):
            a = torch.cat([x[:, t], h], dim=1) @ self.W + self.b
            if self.gates == 1:
                new_h, new_c = torch.tanh(a), c
            else:
                f, i, o, g = a.chunk(4, dim=1)
                new_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                new_h = torch.sigmoid(o) * torch.tanh(new_c)
            goes_on = (t < lengths)[:, None]
            h, c = torch.where(goes_on, new_h, h), torch.where(goes_on, new_c, c)
        return torch.sigmoid(h @ self.V + self.c)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(OwnCell, data, vectors, seed, epochs=15, lr=0.002, gates=1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(OwnCell, data, vectors, seed, epochs=10, lr=0.005, gates=4)
