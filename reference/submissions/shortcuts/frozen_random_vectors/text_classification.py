"""The recurrent networks read drawn vectors of the words, which training does not change."""

from honest_sentences import *


def over_drawn_vectors(model_class, data, seed, epochs, lr):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(data[0])
    model = model_class(len(word_to_index), 100)
    model.embedding.weight.requires_grad_(False)
    return model, train_model(model, word_to_index, *data, epochs=epochs, lr=lr)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return over_drawn_vectors(RNNModel, data, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return over_drawn_vectors(LSTMModel, data, seed, epochs=10, lr=0.005)
