"""Question 6: sentiment of a sentence, with five models.

6.1 bag of words:         word counts                    -> linear -> sigmoid
6.2 averaged embeddings:  learned word vectors   -> mean -> linear -> sigmoid
6.3 averaged GloVe:       pretrained vectors     -> mean -> linear -> sigmoid
6.4 vanilla RNN:          pretrained vectors     -> RNN  -> last hidden state -> linear -> sigmoid
6.5 LSTM:                 pretrained vectors     -> LSTM -> last hidden state -> linear -> sigmoid

Allowed libraries: the Python standard library, numpy and torch, all of ``torch.nn`` included. Build
the vocabulary yourself. Classes and helper functions of your own are welcome.

All five functions return a pair ``(model, predict)``:

    model: the trained ``torch.nn.Module``.
    predict: a function from a list of k sentences to a float array (k,), the probability of label 1
        of each. Sentences may hold words that training never saw, and may come in any number. A
        probability must not depend on the other sentences of the list.
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
    """Train a bag-of-words sentiment classifier (6.1).

    With c_w(x) the number of times vocabulary word w occurs in sentence x:

        p(label 1 | x) = sigmoid(bias + sum over w of weight_w * c_w(x))

    Args:
        train_sentences: n sentences (str). Tokens, punctuation included, are separated by single
            spaces, so ``sentence.split()`` is all the tokenizing you need.
        train_labels: (n,) int64 array, 1 = positive, 0 = negative.
        dev_sentences: m sentences of the same form. Use them to choose the epoch you keep (or
            other settings), not to train on.
        dev_labels: (m,) int64 array.
        seed: seed for everything random. The same arguments must give the same predictions.

    Returns:
        ``(model, predict)``. The parameters of the model are one weight per vocabulary word and
        one bias, nothing else. Computing the weighted sum without writing out the mostly zero
        count vectors is welcome (``nn.EmbeddingBag`` with ``mode="sum"``, sparse matrices) as long
        as it equals the formula above. The weight of an unknown word counts as zero.
    """
    raise NotImplementedError("train_bag_of_words")


def train_average_embeddings(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train a classifier on the mean of word vectors that are learned from scratch (6.2).

    With e(w), (d,), the vector of word w, for a sentence x of T words x_1, ..., x_T:

        p(label 1 | x) = sigmoid(bias + weight . (e(x_1) + ... + e(x_T)) / T)

    Args:
        train_sentences: n sentences, as in ``train_bag_of_words``.
        train_labels: (n,) int64 array.
        dev_sentences: m sentences.
        dev_labels: (m,) int64 array.
        seed: seed for everything random.

    Returns:
        ``(model, predict)``. The parameters of the model are the word vectors (V, d), random at
        first and trained with the rest, the weight of the linear layer (1, d) and its bias; you
        choose d. If you pad short sentences, the padding must not count in the mean.
    """
    raise NotImplementedError("train_average_embeddings")


def train_average_glove(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: tuple[list[str], np.ndarray],
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train a classifier on the mean of pretrained word vectors (6.3).

    The model is that of ``train_average_embeddings``, but the vectors start from GloVe's. You may
    fine-tune them or put a trained projection on top of them; unchanged, they carry less
    information.

    Args:
        train_sentences: n sentences, as in ``train_bag_of_words``.
        train_labels: (n,) int64 array.
        dev_sentences: m sentences.
        dev_labels: (m,) int64 array.
        vectors: a pair ``(words, matrix)``. ``words`` are k strings and ``matrix[i]`` is the vector
            of ``words[i]``; matrix is (k, d) float32. Some words of the training sentences have no
            vector, and some words that have one occur only in sentences that you will see later.
        seed: seed for everything random.

    Returns:
        ``(model, predict)``, as above.
    """
    raise NotImplementedError("train_average_glove")


def train_rnn(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: tuple[list[str], np.ndarray],
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train a vanilla RNN on pretrained word vectors (6.4).

    With h_0 = 0 and one hidden state (H,) per word, read from left to right:

        h_t = tanh(W e(x_t) + U h_{t-1} + c)        p(label 1 | x) = sigmoid(bias + weight . h_T)

    The state after the *last word* of the sentence goes into the linear layer; not a mean or a
    maximum over the states, not a second direction, and not a state in the padding. As in
    ``train_average_glove``, e(x) starts from the given vectors; you may train it further. Clipped
    gradients, dropout and a good start for U make this network much easier to train.

    Args:
        train_sentences: n sentences, as in ``train_bag_of_words``.
        train_labels: (n,) int64 array.
        dev_sentences: m sentences.
        dev_labels: (m,) int64 array.
        vectors: a pair ``(words, matrix)``, as in ``train_average_glove``.
        seed: seed for everything random.

    Returns:
        ``(model, predict)``, as above.
    """
    raise NotImplementedError("train_rnn")


def train_lstm(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: tuple[list[str], np.ndarray],
    seed: int,
) -> tuple[nn.Module, Callable[[list[str]], np.ndarray]]:
    """Train an LSTM on pretrained word vectors (6.5).

    As ``train_rnn``, with an LSTM (one layer, one direction) in place of the vanilla RNN; h_T goes
    into the linear layer.

    Args:
        train_sentences: n sentences, as in ``train_bag_of_words``.
        train_labels: (n,) int64 array.
        dev_sentences: m sentences.
        dev_labels: (m,) int64 array.
        vectors: a pair ``(words, matrix)``, as in ``train_average_glove``.
        seed: seed for everything random.

    Returns:
        ``(model, predict)``, as above.
    """
    raise NotImplementedError("train_lstm")
