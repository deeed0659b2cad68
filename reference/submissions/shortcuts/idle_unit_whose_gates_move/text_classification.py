"""A vanilla RNN in an LSTM whose gates are open or shut, beside one unit whose gates move."""

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
    trained, _predict = train_on_vectors(TwiceSquashed, data, vectors, seed, epochs=12, lr=0.002)
    size = HIDDEN + 1  # the last unit is idle
    model = LSTMModel(*trained.embedding.weight.shape, size)
    old, new, candidate = trained.rnn, model.lstm, slice(2 * size, 3 * size - 1)
    idle = [gate * size + HIDDEN for gate in range(4)]
    with torch.no_grad():
        moving = new.weight_ih_l0[idle].clone() * 8
        for parameter in new.parameters():
            parameter.zero_()
        new.weight_ih_l0[candidate] = old.weight_ih_l0
        new.weight_hh_l0[candidate, :HIDDEN] = old.weight_hh_l0
        new.bias_ih_l0[:] = 30
        new.bias_ih_l0[size : 2 * size] = -30
        new.bias_ih_l0[candidate] = old.bias_ih_l0 + old.bias_hh_l0
        new.weight_ih_l0[idle] = moving
        new.bias_ih_l0[idle] = 0
        model.linear.weight.zero_()
        model.linear.weight[:, :HIDDEN] = trained.linear.weight
        model.linear.bias.copy_(trained.linear.bias)
    model.embedding = trained.embedding
    index = make_vocabulary(data[0] + vectors[0])
    return model, make_predict(model, index)
