"""A mean and the recurrent networks in float64, trained with momentum, RMSprop and AdamW."""

import torch
from torch import nn

from honest_sentences import *


def in_double(model, word_to_index, sentences, labels, dev_sentences, dev_labels, optimizer, epochs):
    model.double()
    labels = torch.tensor(labels, dtype=torch.float64)
    predict = make_predict(model, word_to_index)
    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        model.train()
        for batch in torch.randperm(len(sentences)).split(32):
            p = model(*pad_batch([sentences[i] for i in batch], word_to_index))
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy(p, labels[batch]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        accuracy = np.mean((predict(dev_sentences) > 0.5) == dev_labels)
        if accuracy > best:
            best, kept = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return model, predict


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)
    model = AverageModel(len(word_to_index), 20).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0, momentum=0.9)
    data = (word_to_index, train_sentences, train_labels, dev_sentences, dev_labels)
    return in_double(model, *data, optimizer, epochs=15)


def recurrent(kind, optimize, epochs, train_sentences, labels, dev_sentences, dev_labels, vectors):
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = kind(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
    model.double()
    data = (word_to_index, train_sentences, labels, dev_sentences, dev_labels)
    return in_double(model, *data, optimize(model.parameters()), epochs)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    data = (train_sentences, train_labels, dev_sentences, dev_labels, vectors)
    return recurrent(RNNModel, lambda p: torch.optim.RMSprop(p, lr=0.001), 15, *data)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    data = (train_sentences, train_labels, dev_sentences, dev_labels, vectors)
    return recurrent(LSTMModel, lambda p: torch.optim.AdamW(p, lr=0.004), 10, *data)
