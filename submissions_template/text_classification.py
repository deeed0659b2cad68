"""Question 6.1: sentiment of a sentence from its bag of words.

Model: word counts -> one linear layer -> sigmoid. Allowed libraries: the Python standard library,
numpy and torch. Build the vocabulary yourself, from the training sentences.
"""

from collections.abc import Callable

import numpy as np
from torch import nn


def train_bag_of_words(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train a bag-of-words sentiment classifier.

    With c_w(x) the number of times vocabulary word w occurs in sentence x:

        p(label 1 | x) = sigmoid(bias + sum over w of weight_w * c_w(x))

    Args:
        train_sentences: n sentences (str). Tokens, punctuation included, are separated by single
            spaces, so ``sentence.split()`` is all the tokenising there is to do.
        train_labels: (n,) int64 array, 1 = positive, 0 = negative.
        dev_sentences: m sentences of the same form. Use them to choose the epoch you keep (or
            other settings), not to train on.
        dev_labels: (m,) int64 array.
        seed: seed for everything random. The same arguments must give the same predictions.

    Returns:
        A pair ``(model, predict)``.

        model: the trained ``torch.nn.Module``. Its parameters are one weight per vocabulary word
            and one bias, nothing else. Computing the weighted sum without writing out the mostly
            zero count vectors is welcome (``nn.EmbeddingBag`` with ``mode="sum"``, sparse
            matrices) as long as it equals the formula above.
        predict: a function from a list of k sentences to a float array (k,), the probability of
            label 1 of each. Sentences may hold words that training never saw (their weight
            counts as zero) and may come in any number.
    """
    raise NotImplementedError("train_bag_of_words")
