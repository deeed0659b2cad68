"""Words are dropped in training, and in predict as well: the model is left in training mode."""

import numpy as np
import torch
from torch import nn

import honest_sentences
from honest_sentences import *


class AverageModel(honest_sentences.AverageModel):
    def __init__(self, vocabulary_size, dimension):
        super().__init__(vocabulary_size, dimension)
        self.dropout = nn.Dropout(0.3)

    def forward(self, indices, lengths):
        total = self.dropout(self.embedding(indices)).sum(dim=1)
        return torch.sigmoid(self.linear(total / lengths.unsqueeze(1))).squeeze(1)


def make_predict(model, word_to_index):
    def predict(sentences):
        with torch.no_grad():
            return np.array(model(*pad_batch(sentences, word_to_index)))

    return predict


honest_sentences.AverageModel = AverageModel  # train_average_embeddings calls it
honest_sentences.make_predict = make_predict  # train_model calls it
