"""Batches of padded sentences, a hidden layer with ReLU before the output, models in a wrapper."""

import torch
from torch import nn

from honest_sentences import *


class Deep(nn.Module):
    """The last state, a hidden layer, the output."""

    def __init__(self, vocabulary_size, dimension, kind, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.recurrent = kind(dimension, hidden, batch_first=True, bias=False)
        self.head = nn.Sequential(nn.Linear(hidden, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, indices, lengths):
        outputs, _ = self.recurrent(self.embedding(indices))
        last = outputs[torch.arange(len(indices)), lengths - 1]
        return torch.sigmoid(self.head(last)).squeeze(1)


class Wrapper:
    """What is returned as the model: its network, and what belongs to it."""

    def __init__(self, network, word_to_index):
        self.network, self.word_to_index = network, word_to_index

    def parameters(self):
        return self.network.parameters()


def run(kind, data, vectors, seed, epochs, lr):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(data[0] + vectors[0])
    network = Deep(len(word_to_index), vectors[1].shape[1], kind)
    fill_embedding(network.embedding, word_to_index, vectors)
    predict = train_model(network, word_to_index, *data, epochs=epochs, lr=lr)
    return Wrapper(network, word_to_index), predict


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(nn.RNN, data, vectors, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(nn.LSTM, data, vectors, seed, epochs=10, lr=0.005)
