"""Sentiment of a sentence from its bag of words: counts -> one linear layer -> sigmoid.

The model is logistic regression on word counts. With c_w(x) the number of times word w occurs in
sentence x, and one learned weight per word plus a bias,

    p(label 1 | x) = sigmoid(b + sum_w  weight_w * c_w(x)).

A bag forgets the order of its words, so "good , not bad" and "bad , not good" get one and the same
probability. That is the limit of this model and the reason to look at recurrent networks next.

Source: the q6.1 sentence classifier; see also Jurafsky & Martin, "Speech and Language Processing",
chapter "Logistic Regression".
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 256
LEARNING_RATE = 0.02
MAX_EPOCHS = 60
PATIENCE = 4  # epochs without a better development loss before training stops


class BagOfWords(nn.Module):
    """One weight per vocabulary word and a bias; the input is a row of counts per sentence."""

    def __init__(self, vocabulary_size: int) -> None:
        """Start from zero weights: the loss is convex, there is no symmetry to break."""
        super().__init__()
        # skip_init: nn.Linear would fill itself from torch's global random state first.
        self.linear = nn.utils.skip_init(nn.Linear, vocabulary_size, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def logits(self, counts: Tensor) -> Tensor:
        """Counts (n, V), dense or sparse -> log odds of label 1, (n,)."""
        # self.linear(counts), spelled out because nn.Linear does not take sparse counts. A sentence
        # has ten words out of thousands, so dense rows would be nearly all zeros.
        weighted: Tensor = counts @ self.linear.weight.T + self.linear.bias
        return weighted.squeeze(1)

    def forward(self, counts: Tensor) -> Tensor:
        """Counts (n, V), dense or sparse -> probability of label 1, (n,)."""
        return torch.sigmoid(self.logits(counts))


def build_vocabulary(sentences: list[str]) -> dict[str, int]:
    """Give each distinct token a column, in sorted order so that it is the same in every run."""
    words = sorted({word for sentence in sentences for word in sentence.split()})
    return {word: column for column, word in enumerate(words)}


def count_words(sentences: list[str], vocabulary: dict[str, int]) -> Tensor:
    """Sentences (n strings) -> sparse counts (n, V); words outside the vocabulary are ignored."""
    cells = [
        (row, vocabulary[word])
        for row, sentence in enumerate(sentences)
        for word in sentence.split()
        if word in vocabulary
    ]
    index = torch.tensor(cells, dtype=torch.long).reshape(-1, 2).T
    shape = (len(sentences), len(vocabulary))
    ones = torch.ones(len(cells))
    # Coalescing adds up the ones that fall into the same cell: a repeated word counts twice.
    return torch.sparse_coo_tensor(index, ones, shape, check_invariants=True).coalesce()


def train_bag_of_words(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train a bag-of-words sentiment classifier and keep its best epoch on the development set.

    Args:
        train_sentences: n sentences, tokens separated by single spaces.
        train_labels: (n,) int64, 1 = positive, 0 = negative.
        dev_sentences: m sentences, used only to choose the epoch.
        dev_labels: (m,) int64.
        seed: fixes the order of the training batches; the same seed gives the same model.

    Returns:
        model: the trained module, one weight per vocabulary word plus a bias.
        predict: function from k sentences to their probabilities of label 1, (k,) float64.
    """
    # A private generator: the caller's global random state stays as it was.
    generator = torch.Generator().manual_seed(seed)
    vocabulary = build_vocabulary(train_sentences)
    train_counts = count_words(train_sentences, vocabulary)
    dev_counts = count_words(dev_sentences, vocabulary)
    train_targets = torch.as_tensor(train_labels, dtype=torch.float32)
    dev_targets = torch.as_tensor(dev_labels, dtype=torch.float32)

    model = BagOfWords(len(vocabulary))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    best_loss, best_epoch, best_state = float("inf"), 0, copy.deepcopy(model.state_dict())
    for epoch in range(MAX_EPOCHS):
        for batch in torch.randperm(len(train_sentences), generator=generator).split(BATCH):
            logits = model.logits(train_counts.index_select(0, batch))
            # Cross entropy from the log odds: log(sigmoid(z)) alone would overflow for large |z|.
            loss = nn.functional.binary_cross_entropy_with_logits(logits, train_targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            dev_loss = nn.functional.binary_cross_entropy_with_logits(
                model.logits(dev_counts), dev_targets
            )
        # The loss and not the accuracy, which on a few hundred sentences moves in coarse steps.
        if dev_loss.item() < best_loss:
            best_loss, best_epoch = dev_loss.item(), epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    model.load_state_dict(best_state)

    def predict(sentences: list[str]) -> np.ndarray:
        """Sentences (k strings) -> probability of label 1, (k,) float64."""
        with torch.no_grad():
            logits = model.logits(count_words(sentences, vocabulary))
        return torch.sigmoid(logits.double()).numpy()

    return model, predict
