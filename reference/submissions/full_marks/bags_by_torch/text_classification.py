"""nn.EmbeddingBag for the first three models, in all modes that fit; vectors of a size of its own."""

import torch
from torch import nn

from honest_sentences import *


class Bag(nn.Module):
    """A bag of vectors of one number (a bag of words) or more (a mean), as torch makes it."""

    def __init__(self, vocabulary_size, dimension):
        super().__init__()
        mode = "sum" if dimension == 1 else "mean"
        self.embedding = nn.EmbeddingBag(vocabulary_size, dimension, mode=mode)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.out = nn.Linear(dimension, 1)
        if dimension == 1:  # the weight of a word is all there is
            self.out = None
            self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, words, offsets):
        z = self.embedding(words, offsets)
        return (z + self.bias if self.out is None else self.out(z)).squeeze(1)


def fit(model, known, train, dev, epochs, lr):
    optimizer = torch.optim.Adagrad(model.parameters(), lr=lr)
    labels = torch.tensor(train[1], dtype=torch.float32)

    def encode(sentences):
        rows = [[known[word] for word in s.split() if word in known] for s in sentences]
        words = torch.tensor([word for row in rows for word in row], dtype=torch.long)
        return words, torch.tensor(np.cumsum([0, *map(len, rows)])[:-1], dtype=torch.long)

    for epoch in range(epochs):
        for batch in torch.randperm(len(labels)).split(32):
            z = model(*encode([train[0][i] for i in batch]))
            loss = nn.functional.binary_cross_entropy_with_logits(z, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def predict(sentences):
        with torch.no_grad():
            return torch.sigmoid(model(*encode(list(sentences))))

    return model, predict


def numbered(words):
    return {word: i for i, word in enumerate(sorted(set(words)))}


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    known = numbered(" ".join(train_sentences).split())
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit(Bag(len(known), 1), known, train, dev, epochs=12, lr=0.2)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    known = numbered(" ".join(train_sentences).split())
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit(Bag(len(known), 16), known, train, dev, epochs=15, lr=0.2)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    known = numbered([*" ".join(train_sentences).split(), *vectors[0]])
    model = Bag(len(known), vectors[1].shape[1])
    with torch.no_grad():
        model.embedding.weight[[known[word] for word in vectors[0]]] = torch.tensor(vectors[1])
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit(model, known, train, dev, epochs=12, lr=0.1)
