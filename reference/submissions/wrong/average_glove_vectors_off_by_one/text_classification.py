"""The vectors stay fixed, and each word has that of the word before it."""

import numpy as np
import torch

from honest_sentences import *


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = AverageModel(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, (vectors[0], np.roll(vectors[1], 1, axis=0)))
    model.embedding.weight.requires_grad = False
    predict = train_model(
        model,
        word_to_index,
        train_sentences,
        train_labels,
        dev_sentences,
        dev_labels,
        epochs=12,
        lr=0.005,
    )
    return model, predict
