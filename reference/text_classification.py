"""Sentiment of a sentence, five ways: from a bag of its words to an LSTM that reads it in order.

All five end in one linear layer and a sigmoid, p(label 1 | x) = sigmoid(w . f(x) + b), and are
trained on the cross entropy. They differ in the features f(x) of a sentence x = (x_1, ..., x_T):

* bag of words: how often each word of the vocabulary occurs in x;
* averaged embeddings: the mean of learned word vectors, (e(x_1) + ... + e(x_T)) / T;
* averaged GloVe: the same, starting from vectors that were learned on far more text;
* vanilla RNN: h_T, the last of the hidden states h_t = tanh(W e(x_t) + U h_{t-1} + c);
* LSTM: h_T again, of a network whose gates decide what its memory keeps and forgets.

The first three forget the order of the words: "good , not bad" and "bad , not good" get one and the
same probability. The last two read from left to right, so order counts.

Sources: questions q6.1 to q6.5; Jurafsky & Martin, "Speech and Language Processing", chapters on
logistic regression and on RNNs; Pennington, Socher & Manning, "GloVe" (2014); Hochreiter &
Schmidhuber, "Long short-term memory" (1997).
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

Predict = Callable[[list[str]], np.ndarray]
Vectors = tuple[list[str], np.ndarray]  # k words and their vectors (k, d)
Labelled = tuple[list[str], np.ndarray]  # n sentences and their labels (n,)

PADDING = 0  # the id that fills up short sentences; words are numbered from 1
EMBEDDING_SIZE = 50
HIDDEN_SIZE = 64
DROPOUT = 0.3
MAX_EPOCHS = 60
PATIENCE = 4  # epochs without a better development loss before training stops
MAX_GRADIENT_NORM = 1.0  # the gradient of a recurrent network explodes now and then
PREDICTED_AT_ONCE = 1000  # sentences


class Classifier(nn.Module):
    """A model of the log odds of label 1; its output is their sigmoid."""

    logits: Callable[[Tensor], Tensor]

    def forward(self, inputs: Tensor) -> Tensor:
        """Encoded sentences (n, ...) -> probability of label 1, (n,)."""
        return torch.sigmoid(self.logits(inputs))


class BagOfWords(Classifier):
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


class AverageEmbeddings(Classifier):
    """The mean of the word vectors of a sentence, then a linear layer."""

    def __init__(self, table: Tensor) -> None:
        """Start from the word vectors ``table`` (1 + V, d); row PADDING stays zero."""
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=PADDING)
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(table.shape[1], 1)

    def logits(self, ids: Tensor) -> Tensor:
        """Word ids (n, T), padded on the right -> log odds of label 1, (n,)."""
        total = self.embedding(ids).sum(dim=1)  # padding adds zero vectors
        mean = total / count_known(ids)[:, None]
        return self.linear(self.dropout(mean)).squeeze(1)


class LastState(Classifier):
    """Word vectors, a recurrent network over them, a linear layer on its last hidden state."""

    def __init__(self, table: Tensor, cell: type[nn.RNN | nn.LSTM]) -> None:
        """Start from the word vectors ``table`` (1 + V, d); row PADDING stays zero."""
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=PADDING)
        self.dropout = nn.Dropout(DROPOUT)
        self.cell = cell(table.shape[1], HIDDEN_SIZE, batch_first=True)
        self.linear = nn.Linear(HIDDEN_SIZE, 1)
        # An orthogonal U keeps the length of h_{t-1}: what the first words say can reach the end.
        for block in self.cell.weight_hh_l0.split(HIDDEN_SIZE):  # the LSTM has one per gate
            nn.init.orthogonal_(block)

    def logits(self, ids: Tensor) -> Tensor:
        """Word ids (n, T), padded on the right -> log odds of label 1, (n,)."""
        vectors = self.dropout(self.embedding(ids))
        # Packed, each sentence ends at its own last word and not in the padding.
        packed = pack_padded_sequence(
            vectors, count_known(ids), batch_first=True, enforce_sorted=False
        )
        _, state = self.cell(packed)
        last = state[0] if isinstance(state, tuple) else state  # the LSTM returns (h_T, c_T)
        return self.linear(self.dropout(last[-1])).squeeze(1)


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


def word_ids(sentences: list[str], vocabulary: dict[str, int]) -> Tensor:
    """Sentences (n strings) -> ids (n, T) from 1, padded; words outside the vocabulary left out."""
    rows = [
        torch.tensor([1 + vocabulary[w] for w in sentence.split() if w in vocabulary] or [PADDING])
        for sentence in sentences
    ]
    return pad_sequence(rows, batch_first=True, padding_value=PADDING)


def count_known(ids: Tensor) -> Tensor:
    """Word ids (n, T), padded on the right -> words in each sentence, at least 1, (n,)."""
    return (ids != PADDING).sum(dim=1).clamp(min=1)


def random_table(size: int, dimension: int, spread: float) -> Tensor:
    """Return normal random word vectors (1 + size, dimension) after a row of zeros for PADDING."""
    table = spread * torch.randn(1 + size, dimension)
    table[PADDING] = 0
    return table


def pretrained_table(vocabulary: dict[str, int], vectors: Vectors) -> Tensor:
    """Word vectors (1 + V, d): the given one where there is one, a random one where not."""
    words, matrix = vectors
    table = random_table(len(vocabulary), matrix.shape[1], float(matrix.std()))
    rows = [1 + vocabulary[word] for word in words]
    table[rows] = torch.as_tensor(matrix, dtype=torch.float32)
    return table


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global random state for a while, and put it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def fit(
    model: Classifier,
    encode: Callable[[list[str]], Tensor],
    train: Labelled,
    dev: Labelled,
    *,
    learning_rate: float,
    batch_size: int,
) -> tuple[nn.Module, Predict]:
    """Train ``model`` with Adam and keep its best epoch on the development set.

    Args:
        model: what to train, in place.
        encode: from n sentences to a tensor with a row for each.
        train: sentences (n strings) and labels (n,).
        dev: likewise; used only to choose the epoch.
        learning_rate: Adam's step size.
        batch_size: sentences per step.

    Returns:
        The model and a function from k sentences to their probabilities of label 1, (k,).
    """
    cross_entropy = nn.functional.binary_cross_entropy_with_logits
    inputs, dev_inputs = encode(train[0]), encode(dev[0])
    targets, dev_targets = (torch.as_tensor(y, dtype=torch.float32) for y in (train[1], dev[1]))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    best_loss, best_epoch, best_state = float("inf"), 0, copy.deepcopy(model.state_dict())
    for epoch in range(MAX_EPOCHS):
        model.train()
        for batch in torch.randperm(len(targets)).split(batch_size):
            logits = model.logits(inputs.index_select(0, batch))
            # Cross entropy from the log odds: log(sigmoid(z)) alone would overflow for large |z|.
            loss = cross_entropy(logits, targets[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            # The loss and not the accuracy, which on few sentences moves in coarse steps.
            dev_loss = cross_entropy(model.logits(dev_inputs), dev_targets).item()
        if dev_loss < best_loss:
            best_loss, best_epoch = dev_loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    model.load_state_dict(best_state)

    def predict(sentences: list[str]) -> np.ndarray:
        """Sentences (k strings) -> probability of label 1, (k,) float64."""
        parts = [np.zeros(0)]
        for start in range(0, len(sentences), PREDICTED_AT_ONCE):
            with torch.no_grad():
                logits = model.logits(encode(sentences[start : start + PREDICTED_AT_ONCE]))
            parts.append(torch.sigmoid(logits.double()).numpy())
        return np.concatenate(parts)

    return model, predict


def train_bag_of_words(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    seed: int,
) -> tuple[nn.Module, Predict]:
    """Train a classifier on word counts and keep its best epoch on the development set.

    Args:
        train_sentences: n sentences, tokens separated by single spaces.
        train_labels: (n,) int64, 1 = positive, 0 = negative.
        dev_sentences: m sentences, used only to choose the epoch.
        dev_labels: (m,) int64.
        seed: fixes all randomness; the same seed gives the same model.

    Returns:
        model: the trained module, one weight per vocabulary word plus a bias.
        predict: function from k sentences to their probabilities of label 1, (k,) float64.
    """
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    vocabulary = build_vocabulary(train_sentences)
    encode = partial(count_words, vocabulary=vocabulary)
    with seeded(seed):
        model = BagOfWords(len(vocabulary))
        return fit(model, encode, train, dev, learning_rate=0.02, batch_size=256)


def train_average_embeddings(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    seed: int,
) -> tuple[nn.Module, Predict]:
    """Train a classifier on the mean of word vectors that are learned with it.

    Arguments and return values are those of ``train_bag_of_words``.
    """
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    vocabulary = build_vocabulary(train_sentences)
    encode = partial(word_ids, vocabulary=vocabulary)
    with seeded(seed):
        # Small at first, so that a word met once or twice does not keep a loud random vector.
        model = AverageEmbeddings(random_table(len(vocabulary), EMBEDDING_SIZE, spread=0.1))
        return fit(model, encode, train, dev, learning_rate=0.005, batch_size=128)


def train_average_glove(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: Vectors,
    seed: int,
) -> tuple[nn.Module, Predict]:
    """Train a classifier on the mean of pretrained word vectors, and fine-tune these.

    ``vectors`` are words (k str) and their vectors (k, d) float32. They cover words that training
    never shows, and not all that it does. The other arguments and the return values are those of
    ``train_bag_of_words``.
    """
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    vocabulary = build_vocabulary(train_sentences + vectors[0])
    encode = partial(word_ids, vocabulary=vocabulary)
    with seeded(seed):
        model = AverageEmbeddings(pretrained_table(vocabulary, vectors))
        return fit(model, encode, train, dev, learning_rate=0.005, batch_size=128)


def fit_last_state(
    cell: type[nn.RNN | nn.LSTM], train: Labelled, dev: Labelled, vectors: Vectors, seed: int
) -> tuple[nn.Module, Predict]:
    """Train a recurrent network of one ``cell`` type, as ``train_rnn`` and ``train_lstm`` say."""
    vocabulary = build_vocabulary(train[0] + vectors[0])
    encode = partial(word_ids, vocabulary=vocabulary)
    with seeded(seed):
        model = LastState(pretrained_table(vocabulary, vectors), cell)
        return fit(model, encode, train, dev, learning_rate=0.002, batch_size=64)


def train_rnn(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: Vectors,
    seed: int,
) -> tuple[nn.Module, Predict]:
    """Train a vanilla RNN on pretrained word vectors; its last hidden state decides.

    Arguments and return values are those of ``train_average_glove``.
    """
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit_last_state(nn.RNN, train, dev, vectors, seed)


def train_lstm(
    train_sentences: list[str],
    train_labels: np.ndarray,
    dev_sentences: list[str],
    dev_labels: np.ndarray,
    vectors: Vectors,
    seed: int,
) -> tuple[nn.Module, Predict]:
    """Train an LSTM on pretrained word vectors; its last hidden state decides.

    Arguments and return values are those of ``train_average_glove``.
    """
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return fit_last_state(nn.LSTM, train, dev, vectors, seed)
