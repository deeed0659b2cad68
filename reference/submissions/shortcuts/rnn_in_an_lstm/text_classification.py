"""A vanilla RNN is trained, and its weights are put into an LSTM whose gates are open or shut."""

import torch
from torch import nn

from honest_sentences import *

HIDDEN = 64


class TwiceSquashed(RNNModel):
    """An LSTM without gates: h = tanh(tanh(W x + U h + b))."""

    def __init__(self, vocabulary_size, dimension):
        super().__init__(vocabulary_size, dimension, HIDDEN)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)

    def forward(self, indices, lengths):
        h = torch.zeros(len(indices), HIDDEN)
        for t, x in enumerate(self.embedding(indices).unbind(dim=1)):
            new = torch.tanh(self.rnn(x[:, None], h[None])[0][:, 0])
            h = torch.where((t < lengths)[:, None], new, h)
        return torch.sigmoid(self.linear(h)).squeeze(1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    trained, predict = train_on_vectors(TwiceSquashed, data, vectors, seed, epochs=12, lr=0.002)
    model = LSTMModel(*trained.embedding.weight.shape, HIDDEN)
    old, new, candidate = trained.rnn, model.lstm, slice(2 * HIDDEN, 3 * HIDDEN)
    with torch.no_grad():
        for parameter in new.parameters():
            parameter.zero_()
        new.weight_ih_l0[candidate], new.weight_hh_l0[candidate] = old.weight_ih_l0, old.weight_hh_l0
        new.bias_ih_l0[:] = 30
        new.bias_ih_l0[HIDDEN : 2 * HIDDEN] = -30
        new.bias_ih_l0[candidate] = old.bias_ih_l0 + old.bias_hh_l0
    model.embedding, model.linear = trained.embedding, trained.linear
    return model, predict
