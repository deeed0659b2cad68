"""Sentences are shuffled for training, their labels are not."""

import numpy as np
import torch
from torch import nn

from honest_sentences import *


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    # vocabulary
    word_to_index = {}
    for sentence in train_sentences:
        for word in sentence.split():
            if word not in word_to_index:
                word_to_index[word] = len(word_to_index)

    def to_counts(sentences):
        counts = np.zeros((len(sentences), len(word_to_index)), dtype=np.float32)
        for row, sentence in enumerate(sentences):
            for word in sentence.split():
                if word in word_to_index:
                    counts[row, word_to_index[word]] += 1
        return torch.from_numpy(counts)

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
            loss = loss_function(probabilities, labels[start : start + 64])
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
