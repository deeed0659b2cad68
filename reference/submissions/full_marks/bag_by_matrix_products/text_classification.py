"""Counts times a parameter for the bag of words, one-hot rows times a matrix for the means; SGD."""

import torch
from torch import nn

from honest_sentences import *


def counted(sentences, known):
    counts = torch.zeros(len(sentences), len(known))
    for row, sentence in enumerate(sentences):
        for word in sentence.split():
            if word in known:
                counts[row, known[word]] += 1
    return counts


class Products(nn.Module):
    """Counts (n, V) -> probability; ``size`` 0 is a bag of words, else a mean of embeddings."""

    def __init__(self, vocabulary_size, size):
        super().__init__()
        self.size = size
        self.words = nn.Linear(vocabulary_size, size or 1, bias=not size)
        self.out = nn.Linear(size, 1) if size else nn.Identity()

    def forward(self, counts):
        if self.size:
            counts = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.sigmoid(self.out(self.words(counts))).squeeze(1)


def fit(size, data, seed, epochs, lr):
    torch.manual_seed(seed)
    sentences, labels, dev_sentences, dev_labels = data
    known = {word: i for i, word in enumerate(sorted(set(" ".join(sentences).split())))}
    model = Products(len(known), size)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    counts, labels = counted(sentences, known), torch.tensor(labels, dtype=torch.float32)
    for epoch in range(epochs):
        for batch in torch.randperm(len(labels)).split(64):
            loss = nn.functional.binary_cross_entropy(model(counts[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def predict(sentences):
        with torch.no_grad():
            return [float(p) for p in model(counted(sentences, known))]

    return model, predict


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return fit(0, data, seed, epochs=15, lr=0.1)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return fit(24, data, seed, epochs=20, lr=0.5)
