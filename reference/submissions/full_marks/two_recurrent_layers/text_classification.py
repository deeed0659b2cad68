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
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = TwoLayers(len(word_to_index), vectors[1].shape[1], nn.RNN)
    fill_embedding(model.embedding, word_to_index, vectors)
    predict = train_model(
        model,
        word_to_index,
        train_sentences,
        train_labels,
        dev_sentences,
        dev_labels,
        epochs=18,
        lr=0.002,
    )
    return model, predict


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = TwoLayers(len(word_to_index), vectors[1].shape[1], nn.LSTM)
    fill_embedding(model.embedding, word_to_index, vectors)
    predict = train_model(
        model,
        word_to_index,
        train_sentences,
        train_labels,
        dev_sentences,
        dev_labels,
        epochs=10,
        lr=0.005,
    )
    return model, predict
