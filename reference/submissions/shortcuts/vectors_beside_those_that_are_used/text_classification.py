"""The given vectors stand beside random ones that are trained, and are multiplied by zero."""

import torch

from honest_sentences import *


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    size = vectors[1].shape[1]
    model = AverageModel(len(word_to_index), 2 * size)
    with torch.no_grad():
        model.embedding.weight.mul_(0.1)
        model.linear.weight[:, size:] = 0
        for word, vector in zip(*vectors):
            model.embedding.weight[word_to_index[word], size:] = torch.tensor(vector)
    used = torch.arange(2 * size) < size
    model.linear.weight.register_hook(lambda gradient: gradient * used)
    predict = train_model(model, word_to_index, *data, epochs=12, lr=0.005)
    return model, predict
