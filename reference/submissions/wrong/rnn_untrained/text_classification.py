"""The number of epochs is zero."""

import torch

from honest_sentences import *


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = RNNModel(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
    predict = train_model(
        model,
        word_to_index,
        train_sentences,
        train_labels,
        dev_sentences,
        dev_labels,
        epochs=0,
        lr=0.002,
    )
    return model, predict
