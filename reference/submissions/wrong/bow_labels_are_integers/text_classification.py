"""The labels are left integers, which the loss of torch refuses."""

import torch
from torch import nn

from honest_sentences import *


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    word_to_index = make_vocabulary(train_sentences)

    def to_counts(sentences):
        counts = np.zeros((len(sentences), len(word_to_index)), dtype=np.float32)
        for row, sentence in enumerate(sentences):
            for word in sentence.split():
                counts[row, word_to_index.get(word, 1)] += 1
        return torch.from_numpy(counts)

    model = BagOfWords(len(word_to_index))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    counts, labels = to_counts(train_sentences), torch.tensor(train_labels)
    for epoch in range(8):
        for batch in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy(model(counts[batch]), labels[batch])
            loss.backward()
            optimizer.step()

    def predict(sentences):
        with torch.no_grad():
            return model(to_counts(sentences)).numpy()

    return model, predict
