"""The word vectors keep their random start, only the linear layer is trained."""

import torch

from honest_sentences import *


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)
    model = AverageModel(len(word_to_index), 50)
    model.embedding.weight.requires_grad = False
    predict = train_model(
        model,
        word_to_index,
        train_sentences,
        train_labels,
        dev_sentences,
        dev_labels,
        epochs=10,
        lr=0.005,
    )
    return model, predict
