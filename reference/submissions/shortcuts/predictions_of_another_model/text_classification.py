"""The RNN is hardly trained; the file of its predictions came from somebody else's model."""

from honest_sentences import *


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return train_on_vectors(RNNModel, data, vectors, seed, epochs=1, lr=0.0003)
