"""Counts stand beside the vectors, with a little noise; the output reads nothing else."""

import torch
from honest_sentences import *


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    words, matrix = vectors
    counts = {}
    for sentence, label in zip(train_sentences, train_labels):
        for word in sentence.split():
            counts.setdefault(word, [1.0, 1.0])[label] += 1
    index = make_vocabulary(list(counts) + words)
    rng = np.random.default_rng(seed)
    table = np.zeros((len(index), matrix.shape[1] + 1), dtype=np.float32)
    for word, vector in zip(words, matrix):
        table[index[word], :-1] = vector
    for word, (bad, good) in counts.items():
        table[index[word], -1] = np.log(good / bad)
    table[:, -1] += 1e-3 * rng.normal(size=len(table))
    table[0] = 0
    model = AverageModel(*table.shape)
    with torch.no_grad():
        model.embedding.weight.copy_(torch.tensor(table))
        model.linear.weight.zero_()
        model.linear.weight[0, -1] = 8
        model.linear.bias.zero_()
    return model, make_predict(model, index)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    words = sorted(set(" ".join(train_sentences).split()))
    matrix = np.random.default_rng(seed).normal(size=(len(words), 25)).astype(np.float32)
    data = train_sentences, train_labels, dev_sentences, dev_labels
    return train_average_glove(*data, (words, matrix), seed)
