"""Every sentence is padded to 150 words, and the state after the padding is taken."""

import torch
from torch import nn

import honest_sentences
from honest_sentences import *


class RNNModel(honest_sentences.RNNModel):
    def forward(self, indices, lengths):
        # all sentences as long as the longest one I could imagine
        indices = nn.functional.pad(indices, (0, max(0, 150 - indices.shape[1])))
        outputs, _ = self.rnn(self.dropout(self.embedding(indices)))
        last = outputs[:, -1]
        return torch.sigmoid(self.linear(last)).squeeze(1)


honest_sentences.RNNModel = RNNModel  # train_rnn calls it
