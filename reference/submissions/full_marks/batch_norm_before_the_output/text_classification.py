"""A batch norm stands before the output layer of the means and of the recurrent networks."""

import torch
from torch import nn

from honest_sentences import *


class Normed(nn.Module):
    """A mean (kind None) or the last state, normalized, then linear."""

    def __init__(self, vocabulary_size, dimension, kind=None, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.recurrent = kind and kind(dimension, hidden, batch_first=True)
        size = hidden if kind else dimension
        self.norm = nn.BatchNorm1d(size)
        self.out = nn.Linear(size, 1)

    def forward(self, indices, lengths):
        vectors = self.embedding(indices)
        if self.recurrent is None:
            last = vectors.sum(dim=1) / lengths[:, None]
        else:
            outputs, _ = self.recurrent(vectors)
            last = outputs[torch.arange(len(indices)), lengths - 1]
        return torch.sigmoid(self.out(self.norm(last))).squeeze(1)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)
    model = Normed(len(word_to_index), 40)
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return model, train_model(model, word_to_index, *data, epochs=10, lr=0.005)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Normed, data, vectors, seed, epochs=12, lr=0.005)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Normed, data, vectors, seed, epochs=15, lr=0.002, kind=nn.RNN)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(Normed, data, vectors, seed, epochs=10, lr=0.005, kind=nn.LSTM)
