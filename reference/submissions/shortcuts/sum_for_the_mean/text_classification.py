"""A sum of embeddings in place of their mean: long sentences weigh more."""

import torch
from torch import nn

from honest_sentences import *


class SumModel(AverageModel):
    def forward(self, indices, lengths):
        return torch.sigmoid(self.linear(self.embedding(indices).sum(dim=1))).squeeze(1)


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)
    model = SumModel(len(word_to_index), 50)
    with torch.no_grad():
        model.embedding.weight.mul_(0.1)
        model.embedding.weight[0] = 0
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return model, train_model(model, word_to_index, *data, epochs=10, lr=0.003)
