"""Recurrent layers in numpy.

Only the recurrence itself runs in a Python loop. Everything that does not depend on the previous
hidden state (input projections, all weight gradients) is one contraction over the whole sequence.

Index letters in the einsum strings:
    t time, n sample, d input feature, h / j hidden unit (old / new), k gate, m output
"""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

RNNStep = namedtuple("RNNStep", "x prev_h Wx Wh slope")


@dataclass
class RNNTape:
    """What the backward pass of a sequence needs; states holds h0 in front of h[0..T-1]."""

    x: np.ndarray
    states: np.ndarray
    Wx: np.ndarray
    Wh: np.ndarray


class LSTMTape:
    """The same for the LSTM, filled in during the forward pass."""

    __slots__ = ("Wh", "Wx", "cells", "gates", "hidden", "squashed", "x")


def _objects(*items):
    """Pack items into a 1-d object array (np.array would try to stack them)."""
    box = np.empty(len(items), dtype=object)
    for k, item in enumerate(items):
        box[k] = item
    return box


def _activate(a):
    """Turn pre-activations (..., 4, n, j) into gate values, in place. Gate 2 is the candidate."""
    candidate = np.tanh(a[..., 2, :, :])
    a[...] = sigmoid(a)
    a[..., 2, :, :] = candidate
    return a


def _gate_slopes(gates):
    """Derivatives of the activations, from their values (..., 4, n, j)."""
    slopes = gates * (1.0 - gates)
    candidate = gates[..., 2, :, :]
    slopes[..., 2, :, :] = 1.0 - candidate * candidate
    return slopes


# ------------------------------------------------------------------------------- vanilla RNN ---


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """tanh(x Wx + prev_h Wh + b), by one product with the stacked weights."""
    stacked = np.concatenate([x, prev_h], axis=1) @ np.concatenate([Wx, Wh], axis=0)
    next_h = np.tanh(stacked + b)
    return next_h, RNNStep(x, prev_h, Wx, Wh, 1.0 - next_h * next_h)


def rnn_step_backward(dnext_h, cache):
    """Gradients (dx, dprev_h, dWx, dWh, db) of one step."""
    delta = dnext_h * cache.slope
    return (
        np.einsum("nj,dj->nd", delta, cache.Wx),
        np.einsum("nj,hj->nh", delta, cache.Wh),
        np.einsum("nd,nj->dj", cache.x, delta),
        np.einsum("nh,nj->hj", cache.prev_h, delta),
        np.einsum("nj->j", delta),
    )


def rnn_forward(x, h0, Wx, Wh, b):
    """Hidden states (T, N, H) of a sequence (T, N, D)."""
    T, N, _ = x.shape
    projected = np.tensordot(x, Wx, axes=1) + b
    states = np.empty((T + 1, N, Wh.shape[0]), dtype=projected.dtype)
    states[0] = h0
    for t, drive in enumerate(projected):
        np.tanh(drive + states[t] @ Wh, out=states[t + 1])
    return states[1:], RNNTape(x=x, states=states, Wx=Wx, Wh=Wh)


def rnn_backward(dh, cache):
    """Gradients (dx, dh0, dWx, dWh, db) of a sequence."""
    before, after = cache.states[:-1], cache.states[1:]
    delta = dh.copy()
    slope = 1.0 - after * after
    delta[-1] *= slope[-1]
    for t in range(len(dh) - 2, -1, -1):
        delta[t] += delta[t + 1] @ cache.Wh.T
        delta[t] *= slope[t]
    return (
        np.einsum("tnj,dj->tnd", delta, cache.Wx, optimize=True),
        np.einsum("nj,hj->nh", delta[0], cache.Wh),
        np.tensordot(cache.x, delta, axes=([0, 1], [0, 1])),
        np.tensordot(before, delta, axes=([0, 1], [0, 1])),
        np.einsum("tnj->j", delta),
    )


# -------------------------------------------------------------------------------------- LSTM ---


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)), without overflow. GIVEN.

    Input:
    - x: array of any shape

    Returns an array of the same shape.
    """
    # exp gets no positive argument here, so it cannot overflow.
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """One LSTM step; the gates are kept as one array (4, N, H) in the order f, i, g, o."""
    D, H = x.shape[1], prev_h.shape[1]
    a = np.einsum("nd,dkj->knj", x, Wx.reshape(D, 4, H))
    a += np.einsum("nh,hkj->knj", prev_h, Wh.reshape(H, 4, H))
    gates = _activate(a + b.reshape(4, 1, H))
    f, i, g, o = gates
    next_c = f * prev_c + i * g
    squashed = np.tanh(next_c)
    return o * squashed, next_c, _objects(x, prev_h, prev_c, Wx, Wh, gates, squashed)


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Gradients (dx, dprev_h, dprev_c, dWx, dWh, db) of one LSTM step."""
    x, prev_h, prev_c, Wx, Wh, gates, squashed = cache
    D, H = x.shape[1], prev_h.shape[1]
    f, i, g, o = gates
    dc = dnext_c + dnext_h * o * (1.0 - squashed * squashed)
    delta = np.stack([dc * prev_c, dc * g, dc * i, dnext_h * squashed]) * _gate_slopes(gates)
    return (
        np.einsum("knj,dkj->nd", delta, Wx.reshape(D, 4, H)),
        np.einsum("knj,hkj->nh", delta, Wh.reshape(H, 4, H)),
        dc * f,
        np.einsum("nd,knj->dkj", x, delta).reshape(D, 4 * H),
        np.einsum("nh,knj->hkj", prev_h, delta).reshape(H, 4 * H),
        np.einsum("knj->kj", delta).ravel(),
    )


def lstm_forward(x, h0, Wx, Wh, b):
    """Hidden states (T, N, H) of a sequence (T, N, D); the cell starts at zero."""
    T, N, D = x.shape
    H = h0.shape[1]
    recurrent = Wh.reshape(H, 4, H)
    # All gates of all steps; the recurrent part is added as soon as it is known.
    gates = np.einsum("tnd,dkj->tknj", x, Wx.reshape(D, 4, H), optimize=True)
    gates = gates + b.reshape(4, 1, H)

    tape = LSTMTape()
    tape.x, tape.Wx, tape.Wh, tape.gates = x, Wx, Wh, gates
    tape.hidden = np.concatenate([h0[None], np.empty((T, N, H), dtype=gates.dtype)])
    tape.cells = np.zeros((T + 1, N, H), dtype=gates.dtype)
    tape.squashed = np.empty((T, N, H), dtype=gates.dtype)
    for t in range(T):
        gates[t] += np.einsum("nh,hkj->knj", tape.hidden[t], recurrent)
        f, i, g, o = _activate(gates[t])
        tape.cells[t + 1] = f * tape.cells[t] + i * g
        tape.squashed[t] = np.tanh(tape.cells[t + 1])
        tape.hidden[t + 1] = o * tape.squashed[t]
    return tape.hidden[1:], tape


def lstm_backward(dh, cache):
    """Gradients (dx, dh0, dWx, dWh, db) of a sequence."""
    T, N, H = dh.shape
    D = cache.x.shape[2]
    input_weights, recurrent = cache.Wx.reshape(D, 4, H), cache.Wh.reshape(H, 4, H)
    f, i, g, o = np.moveaxis(cache.gates, 1, 0)
    through_h = o * (1.0 - cache.squashed**2)
    slopes = _gate_slopes(cache.gates)

    delta = np.empty((T, 4, N, H), dtype=slopes.dtype)
    carry_h, carry_c = np.zeros_like(dh[0]), np.zeros_like(dh[0])
    for t in reversed(range(T)):
        total_h = dh[t] + carry_h
        total_c = carry_c + total_h * through_h[t]
        delta[t, 0] = total_c * cache.cells[t]
        delta[t, 1] = total_c * g[t]
        delta[t, 2] = total_c * i[t]
        delta[t, 3] = total_h * cache.squashed[t]
        delta[t] *= slopes[t]
        carry_h = np.einsum("knj,hkj->nh", delta[t], recurrent)
        carry_c = total_c * f[t]

    return (
        np.einsum("tknj,dkj->tnd", delta, input_weights, optimize=True),
        carry_h,
        np.tensordot(cache.x, delta, axes=([0, 1], [0, 2])).reshape(D, 4 * H),
        np.tensordot(cache.hidden[:-1], delta, axes=([0, 1], [0, 2])).reshape(H, 4 * H),
        np.einsum("tknj->kj", delta).ravel(),
    )


# ---------------------------------------------------------------------------- word embedding ---


def word_embedding_forward(x, W):
    """Look up the vector of every word. GIVEN.

        out[n, t] = W[x[n, t]]

    Inputs:
    - x: word ids, integers in 0, ..., V-1, BATCH-MAJOR, shape (N, T)
    - W: one word vector per row, shape (V, D)

    Returns a tuple of:
    - out: the vectors, BATCH-MAJOR, shape (N, T, D)
    - cache: values needed in word_embedding_backward
    """
    out = W[x]
    cache = (x, W.shape)
    return out, cache


def word_embedding_backward(dout, cache):
    """Backward pass of the word embedding. GIVEN.

    There is no gradient with respect to the word ids, only with respect to the vectors.

    Inputs:
    - dout: gradient of the loss with respect to out, BATCH-MAJOR, shape (N, T, D)
    - cache: the cache returned by word_embedding_forward

    Returns:
    - dW: gradient of the word vectors, shape (V, D)
    """
    x, shape = cache
    dW = np.zeros(shape, dtype=dout.dtype)
    # A word may occur several times; np.add.at adds up all its gradients, dW[x] += dout would not.
    np.add.at(dW, x, dout)
    return dW


# ------------------------------------------------------------------ layers at all time steps ---


def temporal_fc_forward(x, w, b):
    """out[n, t] = x[n, t] w + b"""
    return np.einsum("ntd,dm->ntm", x, w, optimize=True) + b, (x, w)


def temporal_fc_backward(dout, cache):
    """Gradients (dx, dw, db)."""
    x, w = cache
    return (
        np.tensordot(dout, w, axes=(2, 1)),
        np.tensordot(x, dout, axes=([0, 1], [0, 1])),
        np.einsum("ntm->m", dout),
    )


def temporal_softmax_loss(x, y, mask):
    """Masked cross-entropy, summed over time, averaged over the batch; and its gradient."""
    log_p = x - np.logaddexp.reduce(x, axis=-1, keepdims=True)
    one_hot = np.eye(x.shape[-1], dtype=x.dtype)[y]
    weight = mask.astype(x.dtype) / x.shape[0]
    loss = -np.einsum("nt,ntv,ntv->", weight, one_hot, log_p)
    return loss, weight[..., None] * (np.exp(log_p) - one_hot)
