"""Predicts the more frequent label for every sentence."""

import numpy as np
from torch import nn

from honest_sentences import *


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    model = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())
    majority = int(np.mean(train_labels) >= 0.5)

    def predict(sentences):
        return np.full(len(sentences), majority)

    return model, predict
