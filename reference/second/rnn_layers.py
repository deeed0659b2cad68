"""The forward functions of ``rnn_layers.py`` once more, number by number, from their definitions.

``grader`` compares both when it reads the rubric. Nothing here is shared with the reference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Numbers = Sequence[float]


def _sigmoid(value: float) -> float:
    if value < 0:
        return math.exp(value) / (1 + math.exp(value))
    return 1 / (1 + math.exp(-value))


def _affine(x: Numbers, h: Numbers, wx: Array, wh: Array, b: Array, column: int) -> float:
    """Return one entry of ``x Wx + h Wh + b``."""
    products = [float(x[d]) * float(wx[d, column]) for d in range(len(x))]
    products += [float(h[k]) * float(wh[k, column]) for k in range(len(h))]
    return math.fsum([*products, float(b[column])])


def rnn_step_forward(x: Array, prev_h: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, None]:
    """Return the next hidden state (N, H)."""
    rows = range(len(x))
    columns = range(prev_h.shape[1])
    entries = [[math.tanh(_affine(x[n], prev_h[n], Wx, Wh, b, j)) for j in columns] for n in rows]
    return np.array(entries), None


def rnn_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, None]:
    """Return all hidden states (T, N, H) of a time-major batch."""
    states = []
    h = h0
    for step in x:
        h, _cache = rnn_step_forward(step, h, Wx, Wh, b)
        states.append(h)
    return np.array(states), None


def lstm_step_forward(
    x: Array, prev_h: Array, prev_c: Array, Wx: Array, Wh: Array, b: Array
) -> tuple[Array, Array, None]:
    """Return the next hidden and cell states; the gates are forget, input, candidate, output."""
    count, size = prev_h.shape
    next_h, next_c = np.empty((count, size)), np.empty((count, size))
    for n in range(count):
        for j in range(size):
            forget, enter, candidate, leave = (
                _affine(x[n], prev_h[n], Wx, Wh, b, gate * size + j) for gate in range(4)
            )
            kept = _sigmoid(forget) * float(prev_c[n, j])
            next_c[n, j] = kept + _sigmoid(enter) * math.tanh(candidate)
            next_h[n, j] = _sigmoid(leave) * math.tanh(next_c[n, j])
    return next_h, next_c, None


def lstm_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, None]:
    """Return all hidden states (T, N, H); the first cell state is zero."""
    states = []
    h, c = h0, np.zeros(h0.shape)
    for step in x:
        h, c, _cache = lstm_step_forward(step, h, c, Wx, Wh, b)
        states.append(h)
    return np.array(states), None


def temporal_fc_forward(x: Array, w: Array, b: Array) -> tuple[Array, None]:
    """Return the output (N, T, M) of the layer at every place."""
    nothing = np.zeros((0, w.shape[1]))
    columns = range(w.shape[1])
    return np.array(
        [[[_affine(place, (), w, nothing, b, j) for j in columns] for place in row] for row in x]
    ), None


def temporal_softmax_loss(x: Array, y: Array, mask: Array) -> tuple[Array, None]:
    """Return the sum of the losses where the mask is True, divided by the number of sequences."""
    losses = []
    for n, t in zip(*np.nonzero(mask), strict=True):
        scores = [float(score) for score in x[n, t]]
        most = max(scores)
        log_sum = most + math.log(math.fsum(math.exp(score - most) for score in scores))
        losses.append(log_sum - scores[int(y[n, t])])
    return np.asarray(math.fsum(losses) / len(x)), None
