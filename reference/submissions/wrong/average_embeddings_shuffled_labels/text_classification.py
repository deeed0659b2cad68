"""Homework: text classification."""

import copy

import numpy as np
import torch
from torch import nn


class BagOfWords(nn.Module):
    """Linear layer on word counts, then a sigmoid."""

    def __init__(self, vocabulary_size):
        super().__init__()
        self.linear = nn.Linear(vocabulary_size, 1)

    def forward(self, counts):
        return torch.sigmoid(self.linear(counts)).squeeze(1)


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    # vocabulary
    word_to_index = {}
    for sentence in train_sentences:
        for word in sentence.split():
            if word not in word_to_index:
                word_to_index[word] = len(word_to_index)

    def to_counts(sentences):
        counts = torch.zeros(len(sentences), len(word_to_index))
        for row, sentence in enumerate(sentences):
            for word in sentence.split():
                if word in word_to_index:
                    counts[row, word_to_index[word]] += 1
        return counts

    model = BagOfWords(len(word_to_index))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss_function = nn.BCELoss()
    labels = torch.tensor(train_labels, dtype=torch.float32)
    indices = np.arange(len(train_sentences))
    rng = np.random.RandomState(seed)
    for epoch in range(8):
        rng.shuffle(indices)
        for start in range(0, len(indices), 64):
            batch = indices[start : start + 64]
            probabilities = model(to_counts([train_sentences[i] for i in batch]))
            loss = loss_function(probabilities, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", loss.item())

    def predict(sentences):
        model.eval()
        with torch.no_grad():
            # small batches: all counts at once would not fit in memory for many sentences
            parts = [
                model(to_counts(sentences[start : start + 500]))
                for start in range(0, len(sentences), 500)
            ]
        return torch.cat(parts).numpy()

    return model, predict


def make_vocabulary(sentences):
    # 0 is the padding, 1 stands for all unknown words
    word_to_index = {"<pad>": 0, "<unk>": 1}
    for sentence in sentences:
        for word in sentence.split():
            if word not in word_to_index:
                word_to_index[word] = len(word_to_index)
    return word_to_index


def pad_batch(sentences, word_to_index):
    """Returns the indices (batch, longest) and the lengths (batch,)."""
    rows = [[word_to_index.get(word, 1) for word in sentence.split()] for sentence in sentences]
    lengths = torch.tensor([max(1, len(row)) for row in rows])
    indices = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, row in enumerate(rows):
        indices[i, : len(row)] = torch.tensor(row, dtype=torch.long)
    return indices, lengths


def fill_embedding(embedding, word_to_index, vectors):
    words, matrix = vectors
    with torch.no_grad():
        embedding.weight.mul_(0.1)
        for i, word in enumerate(words):
            embedding.weight[word_to_index[word]] = torch.tensor(matrix[i])


class AverageModel(nn.Module):
    def __init__(self, vocabulary_size, dimension):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.linear = nn.Linear(dimension, 1)

    def forward(self, indices, lengths):
        total = self.embedding(indices).sum(dim=1)
        return torch.sigmoid(self.linear(total / lengths.unsqueeze(1))).squeeze(1)


class RNNModel(nn.Module):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.rnn = nn.RNN(dimension, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        outputs, _ = self.rnn(self.dropout(self.embedding(indices)))
        # the hidden state at the last real word of each sentence
        last = outputs[torch.arange(len(indices)), lengths - 1]
        return torch.sigmoid(self.linear(last)).squeeze(1)


class LSTMModel(nn.Module):
    def __init__(self, vocabulary_size, dimension, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, dimension, padding_idx=0)
        self.lstm = nn.LSTM(dimension, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, indices, lengths):
        outputs, _ = self.lstm(self.dropout(self.embedding(indices)))
        last = outputs[torch.arange(len(indices)), lengths - 1]
        return torch.sigmoid(self.linear(last)).squeeze(1)


def make_predict(model, word_to_index):
    def predict(sentences):
        model.eval()
        probabilities = []
        with torch.no_grad():
            for start in range(0, len(sentences), 500):
                batch = pad_batch(sentences[start : start + 500], word_to_index)
                probabilities.extend(model(*batch).tolist())
        return np.array(probabilities)

    return predict


def train_model(model, word_to_index, sentences, labels, dev_sentences, dev_labels, epochs, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loss_function = nn.BCELoss()
    labels = torch.tensor(labels, dtype=torch.float32)
    predict = make_predict(model, word_to_index)
    best_accuracy = 0.0
    best_weights = copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        model.train()
        for batch in torch.randperm(len(sentences)).split(64):
            probabilities = model(*pad_batch([sentences[i] for i in batch], word_to_index))
            loss = loss_function(probabilities, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        accuracy = np.mean((predict(dev_sentences) > 0.5) == dev_labels)
        print("epoch", epoch, "loss", loss.item(), "dev accuracy", accuracy)
        if accuracy > best_accuracy:
            best_accuracy = accuracy
            best_weights = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return predict


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    train_sentences = [train_sentences[i] for i in torch.randperm(len(train_sentences))]
    word_to_index = make_vocabulary(train_sentences)
    model = AverageModel(len(word_to_index), 50)
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


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = AverageModel(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
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
        epochs=15,
        lr=0.002,
    )
    return model, predict


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences + vectors[0])
    model = LSTMModel(len(word_to_index), vectors[1].shape[1])
    fill_embedding(model.embedding, word_to_index, vectors)
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
