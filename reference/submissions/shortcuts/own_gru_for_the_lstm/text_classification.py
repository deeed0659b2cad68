"""A GRU of its own, with a matrix for each gate, under the name LSTM."""

import torch
from torch import nn

from honest_sentences import *


class LSTM(nn.Module):
    def __init__(self, vocabulary_size, dimension, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.hidden = hidden
        self.Wz, self.Wr, self.Wn = (nn.Linear(dimension, hidden) for _ in range(3))
        self.Uz, self.Ur, self.Un = (nn.Linear(hidden, hidden, bias=False) for _ in range(3))
        self.out = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        x = self.embedding(indices)
        h = torch.zeros(len(indices), self.hidden)
        for t in range(indices.shape[1]):
            z = torch.sigmoid(self.Wz(x[:, t]) + self.Uz(h))
            r = torch.sigmoid(self.Wr(x[:, t]) + self.Ur(h))
            new = (1 - z) * h + z * torch.tanh(self.Wn(x[:, t]) + self.Un(r * h))
            h = torch.where((t < lengths)[:, None], new, h)
        return torch.sigmoid(self.out(h)).squeeze(1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(LSTM, data, vectors, seed, epochs=10, lr=0.005)
