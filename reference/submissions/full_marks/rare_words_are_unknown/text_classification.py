"""Words that occur once share a row with unknown words; the last state comes by gather."""

import torch
from torch import nn

from honest_sentences import *


def make_vocabulary(sentences):
    counts = {}
    for sentence in sentences:
        for word in sentence.split():
            counts[word] = counts.get(word, 0) + 1
    often = sorted((word for word in counts if counts[word] > 1), key=lambda w: (-counts[w], w))
    return {"<pad>": 0, "<unk>": 1, **{word: 2 + i for i, word in enumerate(often)}}


class Gathered(nn.Module):
    """A mean (kind None) or the state at the last word, picked out by gather."""

    def __init__(self, vocabulary_size, dimension, kind=None, hidden=56):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.recurrent = kind and kind(dimension, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(hidden if kind else dimension, 1))

    def forward(self, indices, lengths):
        vectors = self.embedding(indices)
        if self.recurrent is None:
            mask = (indices != 0).unsqueeze(2)
            last = (vectors * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        else:
            outputs, _ = self.recurrent(vectors)
            at = (lengths - 1).view(-1, 1, 1).expand(-1, 1, outputs.shape[2])
            last = outputs.gather(1, at).squeeze(1)
        return torch.sigmoid(self.head(last)).squeeze(1)


def run(kind, dimension, data, vectors, seed, epochs, lr):
    torch.manual_seed(seed)
    known = [] if vectors is None else vectors[0]
    word_to_index = make_vocabulary(data[0] + known + known)
    model = Gathered(len(word_to_index), dimension, kind)
    if vectors is not None:
        fill_embedding(model.embedding, word_to_index, vectors)
    predict = train_model(model, word_to_index, *data, epochs=epochs, lr=lr)
    return model, predict


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(None, 64, data, None, seed, epochs=10, lr=0.005)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(None, vectors[1].shape[1], data, vectors, seed, epochs=12, lr=0.005)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(nn.RNN, vectors[1].shape[1], data, vectors, seed, epochs=15, lr=0.002)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    data = (train_sentences, train_labels, dev_sentences, dev_labels)
    return run(nn.LSTM, vectors[1].shape[1], data, vectors, seed, epochs=10, lr=0.005)
