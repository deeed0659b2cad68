"""A trained projection stands between the given vectors and each model, packed sequences."""

import torch
from torch import nn

from honest_sentences import *


class Projected(nn.Module):
    """Vectors, frozen for recurrent networks, a linear layer, then a mean (kind None) or a recurrent network."""

    def __init__(self, vocabulary_size, dimension, kind, width=32, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        # the mean alone cannot tell enough from frozen vectors
        self.embedding.weight.requires_grad = kind is None
        self.projection = nn.Linear(dimension, width)
        self.recurrent = kind and kind(width, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(hidden if kind else width, 1)

    def forward(self, indices, lengths):
        vectors = self.projection(self.embedding(indices))
        if self.recurrent is None:
            mask = torch.arange(indices.shape[1]) < lengths[:, None]
            last = (vectors * mask[:, :, None]).sum(dim=1) / lengths[:, None]
        else:
            packed = nn.utils.rnn.pack_padded_sequence(
                self.dropout(vectors), lengths, batch_first=True, enforce_sorted=False
            )
            state = self.recurrent(packed)[1]
            last = (state[0] if isinstance(state, tuple) else state)[-1]
        return torch.sigmoid(self.out(self.dropout(last))).squeeze(1)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Projected, data, vectors, seed, epochs=15, lr=0.01, kind=None)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Projected, data, vectors, seed, epochs=25, lr=0.003, kind=nn.RNN)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Projected, data, vectors, seed, epochs=15, lr=0.005, kind=nn.LSTM)
