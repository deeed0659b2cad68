"""Cells whose weights are one array of three axes, (gates, D, H)."""

import math

import torch
from torch import nn

from honest_sentences import *


class Stacked(nn.Module):
    """Reads word by word; a sentence that has ended keeps its state."""

    def __init__(self, vocabulary_size, dimension, gates, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        bound = 1 / math.sqrt(hidden)
        self.W = nn.Parameter(torch.empty(gates, dimension, hidden).uniform_(-bound, bound))
        self.U = nn.Parameter(torch.empty(gates, hidden, hidden).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(gates, hidden))
        self.v = nn.Parameter(torch.empty(hidden).uniform_(-bound, bound))
        self.a = nn.Parameter(torch.zeros(()))
        self.gates, self.hidden = gates, hidden
        if gates == 1:
            nn.init.orthogonal_(self.U[0])
        self.double()

    def forward(self, indices, lengths):
        x = self.embedding(indices)
        h = c = torch.zeros(len(indices), self.hidden, dtype=x.dtype)
        for t in range(indices.shape[1]):
            z = torch.einsum("nd,gdh->gnh", x[:, t], self.W) + torch.einsum("nd,gdh->gnh", h, self.U)
            z = z + self.b[:, None]
            if self.gates == 1:
                new_h, new_c = torch.tanh(z[0]), c
            else:
                new_c = torch.sigmoid(z[1]) * c + torch.sigmoid(z[0]) * torch.tanh(z[2])
                new_h = torch.sigmoid(z[3]) * torch.tanh(new_c)
            inside = (t < lengths)[:, None]
            h, c = torch.where(inside, new_h, h), torch.where(inside, new_c, c)
        return torch.sigmoid(h @ self.v + self.a).float()


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Stacked, data, vectors, seed, epochs=15, lr=0.002, gates=1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Stacked, data, vectors, seed, epochs=10, lr=0.005, gates=4)
