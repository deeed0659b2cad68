"""Every model has an output for each label and a softmax."""

import torch
from torch import nn

from honest_sentences import *
from mean_or_last_state import MeanOrLastState, four_trained


class TwoOutputs(MeanOrLastState):
    """A mean or the last state, then two outputs whose softmax is the answer."""

    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        self.out = nn.Linear(self.size, 2)

    def forward(self, indices, lengths):
        return torch.softmax(self.out(self.read(indices, lengths)), dim=1)[:, 1]


class BagOfTwo(nn.Module):
    """A weight per word and label; unknown words are left out."""

    def __init__(self, vocabulary_size):
        super().__init__()
        self.weights = nn.EmbeddingBag(vocabulary_size, 2, mode="sum")
        self.bias = nn.Parameter(torch.zeros(2))

    def forward(self, words, offsets):
        return torch.softmax(self.weights(words, offsets) + self.bias, dim=1)[:, 1]


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    known = {word: i for i, word in enumerate(dict.fromkeys(" ".join(train_sentences).split()))}
    model = BagOfTwo(len(known))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

    def encode(sentences):
        rows = [[known[word] for word in s.split() if word in known] for s in sentences]
        words = torch.tensor([word for row in rows for word in row], dtype=torch.long)
        lengths = [len(row) for row in rows]
        return words, torch.tensor(np.cumsum([0, *lengths[:-1]]), dtype=torch.long)

    labels = torch.tensor(train_labels, dtype=torch.float32)
    for epoch in range(12):
        for batch in torch.randperm(len(labels)).split(64):
            loss = nn.functional.binary_cross_entropy(
                model(*encode([train_sentences[i] for i in batch])), labels[batch]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def predict(sentences):
        with torch.no_grad():
            return model(*encode(sentences)).numpy()

    return model, predict


train_average_embeddings, train_average_glove, train_rnn, train_lstm = four_trained(TwoOutputs)
