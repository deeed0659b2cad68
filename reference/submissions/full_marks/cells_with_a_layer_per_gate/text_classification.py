"""Each gate of the LSTM has two linear layers of its own; the RNN uses nn.RNNCell."""

import torch
from torch import nn

from honest_sentences import *


class CellRNN(nn.Module):
    """nn.RNNCell in a loop; the state stays where a sentence has ended."""

    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.cell = nn.RNNCell(dimension, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        h = torch.zeros(len(indices), self.cell.hidden_size)
        for t, x in enumerate(self.embedding(indices).unbind(dim=1)):
            mask = (t < lengths).float().unsqueeze(1)
            h = mask * self.cell(x, h) + (1 - mask) * h
        return torch.sigmoid(self.out(h)).squeeze(1)


class GatesLSTM(nn.Module):
    """The formulas of the lecture, one line each."""

    def __init__(self, vocabulary_size, dimension, hidden=40):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.hidden = hidden
        self.Wo, self.Uo = nn.Linear(dimension, hidden), nn.Linear(hidden, hidden, bias=False)
        self.Wf, self.Uf = nn.Linear(dimension, hidden), nn.Linear(hidden, hidden, bias=False)
        self.Wi, self.Ui = nn.Linear(dimension, hidden), nn.Linear(hidden, hidden, bias=False)
        self.Wg, self.Ug = nn.Linear(dimension, hidden), nn.Linear(hidden, hidden, bias=False)
        self.out = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        embedded = self.embedding(indices)
        h = c = torch.zeros(len(indices), self.hidden)
        for t in range(indices.shape[1]):
            x = embedded[:, t]
            o = torch.sigmoid(self.Wo(x) + self.Uo(h))
            f = torch.sigmoid(self.Wf(x) + self.Uf(h))
            i = torch.sigmoid(self.Wi(x) + self.Ui(h))
            g = torch.tanh(self.Wg(x) + self.Ug(h))
            new_c = f * c + i * g
            goes_on = (t < lengths).unsqueeze(1)
            h = torch.where(goes_on, o * torch.tanh(new_c), h)
            c = torch.where(goes_on, new_c, c)
        return torch.sigmoid(self.out(h)).squeeze(1)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(CellRNN, data, vectors, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(GatesLSTM, data, vectors, seed, epochs=10, lr=0.005)
