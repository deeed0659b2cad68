"""Each gate is a module whose weights are plain tensors, which parameters() does not list."""

import torch
from torch import nn

from honest_sentences import *


class Gate(nn.Module):
    """x W + h U + b, before the nonlinearity."""

    def __init__(self, dimension, hidden):
        super().__init__()
        self.W = (torch.randn(dimension, hidden) * 0.1).requires_grad_()
        self.U = (torch.randn(hidden, hidden) * 0.1).requires_grad_()
        self.b = torch.zeros(hidden, requires_grad=True)

    def forward(self, x, h):
        return x @ self.W + h @ self.U + self.b


class PlainLSTM(nn.Module):
    def __init__(self, vocabulary_size, dimension, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.out = nn.Linear(hidden, 1)
        self.forget, self.enter, self.new, self.leave = (Gate(dimension, hidden) for _ in range(4))
        self.hidden = hidden

    def weights(self):
        gates = (self.forget, self.enter, self.new, self.leave)
        return [*self.parameters(), *(w for gate in gates for w in (gate.W, gate.U, gate.b))]

    def forward(self, indices, lengths):
        h = c = torch.zeros(len(indices), self.hidden)
        for t, x in enumerate(self.embedding(indices).unbind(dim=1)):
            f, i = torch.sigmoid(self.forget(x, h)), torch.sigmoid(self.enter(x, h))
            new_c = f * c + i * torch.tanh(self.new(x, h))
            new_h = torch.sigmoid(self.leave(x, h)) * torch.tanh(new_c)
            goes_on = (t < lengths).unsqueeze(1)
            h, c = torch.where(goes_on, new_h, h), torch.where(goes_on, new_c, c)
        return torch.sigmoid(self.out(h)).squeeze(1)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = PlainLSTM(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
    optimizer = torch.optim.Adam(model.weights(), lr=0.005)
    labels = torch.tensor(train_labels, dtype=torch.float32)
    for epoch in range(10):
        for batch in torch.randperm(len(labels)).split(64):
            probabilities = model(*pad_batch([train_sentences[i] for i in batch], word_to_index))
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy(probabilities, labels[batch]).backward()
            nn.utils.clip_grad_norm_(model.weights(), 1.0)
            optimizer.step()
    return model, make_predict(model, word_to_index)
