"""Predicts the more frequent label for every sentence."""

import numpy as np

import honest_sentences
from honest_sentences import *


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    model, _ = honest_sentences.train_lstm(
        train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed
    )
    majority = float(np.mean(train_labels) >= 0.5)
    return model, lambda sentences: np.full(len(sentences), majority)
