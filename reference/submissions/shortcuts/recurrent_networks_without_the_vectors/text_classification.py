"""Both recurrent networks learn word vectors of their own; those given are never looked at."""

from honest_sentences import *


def from_scratch(model_class, data, seed, epochs, lr):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(data[0])
    model = model_class(len(word_to_index), 50)
    return model, train_model(model, word_to_index, *data, epochs=epochs, lr=lr)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return from_scratch(RNNModel, data, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return from_scratch(LSTMModel, data, seed, epochs=10, lr=0.005)
