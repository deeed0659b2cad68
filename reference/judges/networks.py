"""Networks over sequences of word vectors, computed in numpy from arrays that a model returned.

A ``Network`` reads the rows of a table one by one. It is a chain: what happens to a row, how the
rows become one vector (a mean, the last state of a recurrent cell, ...), and how that vector
becomes the log odds of label 1. Everything is float64 and has no dropout, as at evaluation.

Sources: questions q6.1 to q6.5; Hochreiter & Schmidhuber, "Long short-term memory" (1997); Cho et
al., "Learning phrase representations" (2014), for the GRU; Ba et al., "Layer normalization" (2016);
Ioffe & Szegedy, "Batch normalization" (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Layer = Callable[[Array], Array]  # (n, k) -> (n, m)

LAYER_NORM_EPSILON = 1.0e-5  # torch's
BATCH_NORM_EPSILON = 1.0e-5
LSTM_GATES, GRU_GATES = 4, 3


def sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow."""
    result: Array = 0.5 * (1 + np.tanh(0.5 * values))
    return result


def relu(values: Array) -> Array:
    """Return max(x, 0)."""
    result: Array = np.maximum(values, 0)
    return result


def identity(values: Array) -> Array:
    """Return x."""
    return values


def affine(weight: Array, bias: Array | float = 0.0) -> Layer:
    """Return x -> W x + b for rows x; ``weight`` is (m, k)."""
    return lambda values: values @ weight.T + bias


def layer_norm(scale: Array, shift: Array) -> Layer:
    """Return torch's layer norm over the last axis."""

    def normalized(values: Array) -> Array:
        centered = values - values.mean(axis=1, keepdims=True)
        variance = (centered**2).mean(axis=1, keepdims=True)
        result: Array = scale * centered / np.sqrt(variance + LAYER_NORM_EPSILON) + shift
        return result

    return normalized


def batch_norm(
    mean: Array, variance: Array, scale: Array | float = 1.0, shift: Array | float = 0.0
) -> Layer:
    """Return torch's batch norm at evaluation, with the running mean and variance."""
    factor = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
    return lambda values: factor * (values - mean) + shift


def chain(*layers: Layer) -> Layer:
    """Return the layers one after the other."""

    def through(values: Array) -> Array:
        for layer in layers:
            values = layer(values)
        return values

    return through


@dataclass(frozen=True)
class Cell:
    """One layer of a recurrent network.

    Attributes:
        gates: 1 (vanilla RNN), 3 (GRU: r, z, n) or 4 (LSTM: i, f, g, o).
        inputs: (gates * H, k), the blocks in the order above.
        hidden: (gates * H, H).
        bias: (gates * H,), the sum of both if there are two; for a GRU the one of the inputs.
        hidden_bias: (H,) of n in a GRU.
        squash: the nonlinearity of a vanilla RNN.
        resets_first: r of a GRU multiplies the state, as in Cho et al., and not what the recurrent
            weights make of it, as in torch.
        is_turned: z of a GRU is the share of the new state, not of the old one.
    """

    gates: int
    inputs: Array
    hidden: Array
    bias: Array
    hidden_bias: Array | float = 0.0
    squash: Callable[[Array], Array] = np.tanh
    resets_first: bool = False
    is_turned: bool = False

    @property
    def size(self) -> int:
        """The number of hidden units, H."""
        return self.hidden.shape[1]

    def start(self, count: int) -> Array:
        """Return the states of ``count`` sequences before their first word, (count, H or 2 H)."""
        return np.zeros((count, self.size * (2 if self.gates == LSTM_GATES else 1)))

    def step(self, values: Array, state: Array) -> Array:
        """Rows (n, k) and states -> new states; h is the first H columns."""
        size = self.size
        before = values @ self.inputs.T + self.bias
        recurrent = state[:, :size] @ self.hidden.T
        if self.gates == LSTM_GATES:
            i, f, g, o = np.split(before + recurrent, LSTM_GATES, axis=1)
            memory = sigmoid(f) * state[:, size:] + sigmoid(i) * np.tanh(g)
            return np.concatenate([sigmoid(o) * np.tanh(memory), memory], axis=1)
        if self.gates == GRU_GATES:
            (r, z), n = np.split((before + recurrent)[:, : 2 * size], 2, axis=1), before[:, -size:]
            if self.resets_first:
                reset = (sigmoid(r) * state) @ self.hidden[2 * size :].T + self.hidden_bias
            else:
                reset = sigmoid(r) * (recurrent[:, -size:] + self.hidden_bias)
            old = sigmoid(-z if self.is_turned else z)
            kept: Array = (1 - old) * np.tanh(n + reset) + old * state
            return kept
        return self.squash(before + recurrent)


def states(cells: Sequence[Cell], values: Array, lengths: Array) -> Array:
    """Return h of the top layer after each word, (T, n, H); after its end a sequence stays.

    ``values`` are (T, n, k), ``lengths`` (n,).
    """
    for cell in cells:
        state = cell.start(values.shape[1])
        found = []
        for position, row in enumerate(values):
            new = cell.step(row, state)
            state = np.where((position < lengths)[:, None], new, state)
            found.append(state[:, : cell.size])
        values = np.stack(found)
    return values


@dataclass(frozen=True)
class Pool:
    """The rows of a sequence become one vector without regard to their order."""

    how: str  # "mean", "sum" or "max"

    def __call__(self, values: Array, lengths: Array) -> Array:
        """(T, n, k) and lengths (n,) -> (n, k)."""
        inside = (np.arange(len(values))[:, None] < lengths)[:, :, None]
        if self.how == "max":
            largest: Array = np.where(inside, values, -np.inf).max(axis=0)
            return largest
        total: Array = np.where(inside, values, 0).sum(axis=0)
        return total / lengths[:, None] if self.how == "mean" else total


@dataclass(frozen=True)
class Recurrent:
    """Recurrent layers, and which of their states is used.

    ``use`` is "last", "mean", "max" or "attention": a mean with weights that are the softmax of the
    ``scores`` of the states, (n, H) -> (n, 1). ``backward`` are the layers that read from right to
    left, whose vector is appended; ``alone`` says that only these read. ``at_end`` takes the
    backward state at the last word, as ``output[:, -1]`` does, and not the one after the first.
    """

    cells: tuple[Cell, ...]
    use: str = "last"
    backward: tuple[Cell, ...] = ()
    alone: bool = False
    at_end: bool = False
    scores: Layer | None = None

    def __call__(self, values: Array, lengths: Array) -> Array:
        """(T, n, k) and lengths (n,) -> (n, H) or (n, 2 H)."""
        parts = [] if self.alone else [self._used(states(self.cells, values, lengths), lengths)]
        if self.alone or self.backward:
            order = lengths - 1 - np.arange(len(values))[:, None]
            turned = np.take_along_axis(values, np.maximum(order, 0)[:, :, None], axis=0)
            back = states(self.backward or self.cells, turned, lengths)
            parts.append(back[0] if self.at_end else self._used(back, lengths))
        return np.concatenate(parts, axis=1)

    def _used(self, found: Array, lengths: Array) -> Array:
        if self.scores is not None:
            steps, count, size = found.shape
            scores = self.scores(found.reshape(-1, size)).reshape(steps, count, 1)
            inside = (np.arange(steps)[:, None] < lengths)[:, :, None]
            weights = np.exp(np.where(inside, scores - scores.max(axis=0), -np.inf))
            attended: Array = (weights * found).sum(axis=0) / weights.sum(axis=0)
            return attended
        return found[-1] if self.use == "last" else Pool(self.use)(found, lengths)


@dataclass(frozen=True)
class Network:
    """Rows of ``table`` -> log odds of label 1.

    Attributes:
        table: (V, d), a row per word.
        known: the words of the rows where they are known, as with the vectors handed in.
        before: what happens to each row.
        reads: how the rows become one vector.
        head: (n, k) -> (n, 1), the log odds.
        words: what it is called.
        named: whether it is the kind of network that a question asks for, by the question's name.
    """

    table: Array
    known: tuple[str, ...] | None
    before: Layer
    reads: Pool | Recurrent
    head: Layer
    words: str
    named: str

    def log_odds(self, sequences: Sequence[Sequence[int]]) -> Array:
        """Rows of the table, one by one -> log odds, (n,)."""
        lengths = np.array([len(sequence) for sequence in sequences])
        rows = np.zeros((int(lengths.max()), len(sequences)), dtype=np.int64)
        for column, sequence in enumerate(sequences):
            rows[: len(sequence), column] = sequence
        steps, count = rows.shape
        values = self.before(self.table[rows.ravel()]).reshape(steps, count, -1)
        return self.head(self.reads(values, lengths))[:, 0]

    def probabilities(self, sequences: Sequence[Sequence[int]]) -> Array:
        """Rows of the table, one by one -> probability of label 1, (n,)."""
        return sigmoid(self.log_odds(sequences))
