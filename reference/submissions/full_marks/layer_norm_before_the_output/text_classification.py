"""A layer norm stands before the output layer of the means and of the recurrent networks."""

import torch
from torch import nn

from honest_sentences import *
from mean_or_last_state import MeanOrLastState, four_trained


class Normed(MeanOrLastState):
    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        self.norm = nn.LayerNorm(self.size)
        self.out = nn.Linear(self.size, 1)

    def forward(self, indices, lengths):
        return torch.sigmoid(self.out(self.norm(self.read(indices, lengths)))).squeeze(1)


train_average_embeddings, train_average_glove, train_rnn, train_lstm = four_trained(Normed)
