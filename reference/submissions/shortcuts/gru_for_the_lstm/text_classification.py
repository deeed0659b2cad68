"""A GRU, under the name LSTM."""

import torch
from torch import nn

from honest_sentences import *


class LSTM(RNNModel):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__(vocabulary_size, dimension, hidden)
        self.rnn = nn.GRU(dimension, hidden, batch_first=True)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = LSTM(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return model, train_model(model, word_to_index, *data, epochs=10, lr=0.005)
