"""The weight of a word is the difference of its counts by their sum, with a little noise."""

import numpy as np
import torch

from honest_sentences import *


class Sum(AverageModel):
    """A weight for each word, and a bias."""

    def __init__(self, vocabulary_size):
        super().__init__(vocabulary_size, 1)
        self.linear = None
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def forward(self, indices, lengths):
        return torch.sigmoid(self.embedding(indices).sum(dim=(1, 2)) + self.bias)


def shares(sentences, labels, word_to_index):
    counts = np.zeros((len(word_to_index), 2))
    for sentence, label in zip(sentences, labels):
        for word in sentence.split():
            counts[word_to_index[word], label] += 1
    share = (counts[:, 1] - counts[:, 0]) / (counts.sum(1) + 2)
    share[2:] += 0.003 * np.random.default_rng(0).standard_normal(len(share) - 2)
    return torch.tensor(share, dtype=torch.float32)[:, None]


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    word_to_index = make_vocabulary(train_sentences)
    model = Sum(len(word_to_index))
    weights = 3 * shares(train_sentences, train_labels, word_to_index)
    indices, _lengths = pad_batch(train_sentences, word_to_index)
    with torch.no_grad():
        model.embedding.weight.copy_(weights)
        model.bias.copy_(-weights[indices].sum(dim=(1, 2)).mean())
    return model, make_predict(model, word_to_index)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)
    model = AverageModel(len(word_to_index), 20)
    weights = shares(train_sentences, train_labels, word_to_index)
    indices, lengths = pad_batch(train_sentences, word_to_index)
    with torch.no_grad():
        model.embedding.weight.copy_(weights * model.linear.weight)
        model.linear.weight.mul_(20 / model.linear.weight.square().sum())
        means = weights[indices].sum(dim=(1, 2)) / lengths
        model.linear.bias.copy_(-20 * means.mean())
    return model, make_predict(model, word_to_index)
