"""A bag of words and a mean whose model keeps a tensor for each word, in a dictionary."""

import torch
from torch import nn

from honest_sentences import *


class Words(nn.Module):
    """A weight (size 1) or a vector for each word; their sum, or the output of their mean."""

    def __init__(self, words, size):
        super().__init__()
        self.of = {word: (torch.randn(size) * 0.1).requires_grad_() for word in words}
        self.out = nn.Linear(size, 1) if size > 1 else None
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, sentence):
        known = [self.of[word] for word in sentence.split() if word in self.of]
        if not known:
            return torch.sigmoid(self.bias)
        if self.out is None:
            return torch.sigmoid(torch.stack(known).sum(dim=0) + self.bias)
        return torch.sigmoid(self.out(torch.stack(known).mean(dim=0)))


def train(size, sentences, labels, seed):
    torch.manual_seed(seed)
    model = Words(sorted({word for sentence in sentences for word in sentence.split()}), size)
    optimizer = torch.optim.Adam([*model.parameters(), *model.of.values()], lr=0.03)
    for _epoch in range(3):
        for batch in torch.randperm(len(sentences)).split(100):
            p = torch.cat([model(sentences[i]) for i in batch])
            truth = torch.tensor(labels[batch.numpy()], dtype=torch.float32)
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy(p, truth).backward()
            optimizer.step()

    def predict(sentences):
        with torch.no_grad():
            return np.array([model(sentence).item() for sentence in sentences])

    return model, predict


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    return train(1, train_sentences, train_labels, seed)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    return train(20, train_sentences, train_labels, seed)
