"""Networks that read the mean of the vectors or the last state, and their usual training."""

import torch
from torch import nn

from honest_sentences import make_vocabulary, train_model, train_on_vectors


class MeanOrLastState(nn.Module):
    """Reads a mean (kind None) or the last state; (batch, size) for what comes after it."""

    def __init__(self, vocabulary_size, dimension, kind=None, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.recurrent = kind and kind(dimension, hidden, batch_first=True)
        self.size = hidden if kind else dimension

    def read(self, indices, lengths):
        vectors = self.embedding(indices)
        if self.recurrent is None:
            return vectors.sum(dim=1) / lengths[:, None]
        outputs, _ = self.recurrent(vectors)
        return outputs[torch.arange(len(indices)), lengths - 1]


def four_trained(model_class):
    """Returns train_average_embeddings, train_average_glove, train_rnn and train_lstm."""

    def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
        torch.manual_seed(seed)
        word_to_index = make_vocabulary(train_sentences)
        model = model_class(len(word_to_index), 40)
        data = (train_sentences, train_labels, dev_sentences, dev_labels)
        return model, train_model(model, word_to_index, *data, epochs=10, lr=0.005)

    def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
        data = (train_sentences, train_labels, dev_sentences, dev_labels)
        return train_on_vectors(model_class, data, vectors, seed, epochs=12, lr=0.005)

    def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
        data = (train_sentences, train_labels, dev_sentences, dev_labels)
        return train_on_vectors(model_class, data, vectors, seed, epochs=15, lr=0.002, kind=nn.RNN)

    def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
        data = (train_sentences, train_labels, dev_sentences, dev_labels)
        return train_on_vectors(model_class, data, vectors, seed, epochs=10, lr=0.005, kind=nn.LSTM)

    return train_average_embeddings, train_average_glove, train_rnn, train_lstm
