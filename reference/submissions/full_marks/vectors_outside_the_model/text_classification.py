"""The given vectors are looked up outside the model, which gets them as numbers and does not keep them."""

import torch
from torch import nn

from honest_sentences import *


class OnVectors(nn.Module):
    """The last state of a recurrent network over vectors (n, T, d)."""

    def __init__(self, dimension, kind, hidden=80):
        super().__init__()
        self.recurrent = kind(dimension, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, vectors, lengths):
        outputs, _ = self.recurrent(vectors)
        last = outputs[torch.arange(len(vectors)), lengths - 1]
        return torch.sigmoid(self.out(last)).squeeze(1)


def looked_up(sentences, table):
    dimension = len(next(iter(table.values())))
    zero = np.zeros(dimension, dtype=np.float32)
    rows = [[table.get(word, zero) for word in s.split()] for s in sentences]
    lengths = torch.tensor([max(1, len(row)) for row in rows])
    vectors = torch.zeros(len(rows), int(lengths.max()), dimension)
    for i, row in enumerate(rows):
        if row:
            vectors[i, : len(row)] = torch.tensor(np.array(row))
    return vectors, lengths


def fit(model, train, dev, vectors, seed, epochs, lr):
    table = dict(zip(*vectors))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    labels = torch.tensor(train[1], dtype=torch.float32)
    x, lengths = looked_up(train[0], table)

    def predict(sentences):
        with torch.no_grad():
            return model(*looked_up(sentences, table)).numpy()

    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        for batch in torch.randperm(len(labels)).split(64):
            loss = nn.functional.binary_cross_entropy(model(x[batch], lengths[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        accuracy = np.mean((predict(dev[0]) > 0.5) == dev[1])
        if accuracy > best:
            best, kept = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return model, predict


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    model = OnVectors(vectors[1].shape[1], nn.RNN)
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit(model, train, dev, vectors, seed, epochs=35, lr=0.003)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    model = OnVectors(vectors[1].shape[1], nn.LSTM)
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit(model, train, dev, vectors, seed, epochs=30, lr=0.005)
