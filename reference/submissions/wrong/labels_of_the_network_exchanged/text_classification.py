"""Predicts the label of the smaller probability."""

import honest_sentences
from honest_sentences import *


def train_average_embeddings(**data):
    model, predict = honest_sentences.train_average_embeddings(**data)
    return model, lambda sentences: 1 - predict(sentences)
