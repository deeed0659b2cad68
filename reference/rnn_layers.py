"""Vanilla RNN, LSTM and the layers around them in plain numpy: the reference solution.

Letters used in shapes
    N batch size, T time steps, D input features, H hidden units, V vocabulary size, M outputs.

Conventions
    Recurrent sequences are time-major, (T, N, D), so that ``x[t]`` is the batch of one step.
    Embedding, fully connected and softmax layers are batch-major, (N, T, D).
    ``dz`` is the gradient of the scalar loss with respect to ``z`` and has the shape of ``z``.
    Every function keeps the floating-point type of its inputs and leaves its arguments unchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Cache = tuple[Any, ...]


# --------------------------------------------------------------------------------------------
# Vanilla RNN:  h_t = tanh(x_t Wx + h_{t-1} Wh + b)
# --------------------------------------------------------------------------------------------


def rnn_step_forward(
    x: Array, prev_h: Array, Wx: Array, Wh: Array, b: Array
) -> tuple[Array, Cache]:
    """One step: x (N, D), prev_h (N, H), Wx (D, H), Wh (H, H), b (H,) -> next_h (N, H), cache."""
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h: Array, cache: Cache) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients: dnext_h (N, H) -> dx (N, D), dprev_h (N, H), dWx (D, H), dWh (H, H), db (H,)."""
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)  # through tanh, whose slope is 1 - tanh(a)^2
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def rnn_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, list[Cache]]:
    """All steps: x (T, N, D), h0 (N, H), weights as for one step -> h (T, N, H), cache.

    ``h[t]`` is the state after having read ``x[t]``; h0 itself is not part of h.
    """
    h = np.empty((len(x), *h0.shape), dtype=np.result_type(x, h0, Wx, Wh, b))
    cache = []
    h_t = h0
    for t in range(len(x)):
        h_t, step_cache = rnn_step_forward(x[t], h_t, Wx, Wh, b)
        h[t] = h_t
        cache.append(step_cache)
    return h, cache


def rnn_backward(dh: Array, cache: list[Cache]) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients: dh (T, N, H) -> dx (T, N, D), dh0 (N, H), dWx (D, H), dWh (H, H), db (H,).

    ``dh[t]`` holds only what reaches h_t directly from the loss; what reaches it through
    h_{t+1} is added here, from the last step back to the first.
    """
    x_0, _, Wx, Wh, _ = cache[0]
    dx = np.empty((len(dh), *x_0.shape), dtype=np.result_type(dh, Wx))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wh[0])
    dh_t = np.zeros_like(dh[0])
    for t in reversed(range(len(dh))):
        dx[t], dh_t, dWx_t, dWh_t, db_t = rnn_step_backward(dh[t] + dh_t, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dh_t, dWx, dWh, db


# --------------------------------------------------------------------------------------------
# LSTM:  [a_f a_i a_g a_o] = x_t Wx + h_{t-1} Wh + b
#        with the gates f, i, o = sigmoid of a_f, a_i, a_o, and the candidate g = tanh a_g:
#        c_t = f * c_{t-1} + i * g;  h_t = o * tanh(c_t)
# --------------------------------------------------------------------------------------------


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) elementwise, for x of any shape and size."""
    z = np.exp(-np.abs(x))  # the exponent is never positive, so nothing overflows
    return np.where(x >= 0, 1 / (1 + z), z / (1 + z))


def lstm_step_forward(
    x: Array, prev_h: Array, prev_c: Array, Wx: Array, Wh: Array, b: Array
) -> tuple[Array, Array, Cache]:
    """One step of the LSTM.

    x (N, D), prev_h (N, H), prev_c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,)
    -> next_h (N, H), next_c (N, H), cache.
    The 4H columns are four blocks of H: forget f, input i, candidate g, output o.
    """
    a_f, a_i, a_g, a_o = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    f, i, g, o = sigmoid(a_f), sigmoid(a_i), np.tanh(a_g), sigmoid(a_o)
    next_c = f * prev_c + i * g
    tanh_c = np.tanh(next_c)
    next_h = o * tanh_c
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, f, i, g, o, tanh_c)


def lstm_step_backward(
    dnext_h: Array, dnext_c: Array, cache: Cache
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Gradients of one step of the LSTM.

    dnext_h (N, H), dnext_c (N, H)
    -> dx (N, D), dprev_h (N, H), dprev_c (N, H), dWx (D, 4H), dWh (H, 4H), db (4H,).
    ``dnext_c`` is what reaches c_t from c_{t+1}; its second way to the loss, through h_t, is
    added here.
    """
    x, prev_h, prev_c, Wx, Wh, f, i, g, o, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    df, di, dg, do = dc * prev_c, dc * g, dc * i, dnext_h * tanh_c
    da = np.concatenate(
        [df * f * (1 - f), di * i * (1 - i), dg * (1 - g**2), do * o * (1 - o)], axis=1
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def lstm_forward(x: Array, h0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, list[Cache]]:
    """All steps, from the cell state zero.

    x (T, N, D), h0 (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,) -> h (T, N, H), cache.
    """
    h = np.empty((len(x), *h0.shape), dtype=np.result_type(x, h0, Wx, Wh, b))
    cache = []
    h_t, c_t = h0, np.zeros_like(h0)
    for t in range(len(x)):
        h_t, c_t, step_cache = lstm_step_forward(x[t], h_t, c_t, Wx, Wh, b)
        h[t] = h_t
        cache.append(step_cache)
    return h, cache


def lstm_backward(dh: Array, cache: list[Cache]) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients of all steps.

    dh (T, N, H) -> dx (T, N, D), dh0 (N, H), dWx (D, 4H), dWh (H, 4H), db (4H,).
    Two gradients travel back in time, that of h and that of c. The loss does not see c_T, so
    the second starts at zero.
    """
    x_0, _, _, Wx, Wh, *_ = cache[0]
    dx = np.empty((len(dh), *x_0.shape), dtype=np.result_type(dh, Wx))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wh[0])
    dh_t, dc_t = np.zeros_like(dh[0]), np.zeros_like(dh[0])
    for t in reversed(range(len(dh))):
        dx[t], dh_t, dc_t, dWx_t, dWh_t, db_t = lstm_step_backward(dh[t] + dh_t, dc_t, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dh_t, dWx, dWh, db


# --------------------------------------------------------------------------------------------
# Word embedding (given to students):  out[n, t] = W[x[n, t]]
# --------------------------------------------------------------------------------------------


def word_embedding_forward(x: Array, W: Array) -> tuple[Array, Cache]:
    """Word ids x (N, T), integers in 0..V-1, and vectors W (V, D) -> out (N, T, D), cache."""
    return W[x], (x, W)


def word_embedding_backward(dout: Array, cache: Cache) -> Array:
    """Gradients: dout (N, T, D) -> dW (V, D). Word ids are not differentiable."""
    x, W = cache
    dW: Array = np.zeros_like(W)
    np.add.at(dW, x, dout)  # unlike dW[x] += dout, adds up the gradients of a repeated word
    return dW


# --------------------------------------------------------------------------------------------
# Fully connected layer at every time step:  out[n, t] = x[n, t] w + b
# --------------------------------------------------------------------------------------------


def temporal_fc_forward(x: Array, w: Array, b: Array) -> tuple[Array, Cache]:
    """Apply the layer: x (N, T, D), w (D, M), b (M,) -> out (N, T, M), cache."""
    return x @ w + b, (x, w)


def temporal_fc_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Gradients: dout (N, T, M) -> dx (N, T, D), dw (D, M), db (M,)."""
    x, w = cache
    # The same w and b serve every one of the N * T positions, so their gradients are sums.
    x_rows, dout_rows = x.reshape(-1, w.shape[0]), dout.reshape(-1, w.shape[1])
    return dout @ w.T, x_rows.T @ dout_rows, dout_rows.sum(axis=0)


# --------------------------------------------------------------------------------------------
# Softmax cross-entropy over time:  loss = 1/N sum_{n, t: mask} -log softmax(x[n, t])[y[n, t]]
# --------------------------------------------------------------------------------------------


def temporal_softmax_loss(x: Array, y: Array, mask: Array) -> tuple[Any, Array]:
    """Scores x (N, T, V), right words y (N, T), mask (N, T) of bool -> loss (scalar), dx (N, T, V).

    Summed over time and averaged over the batch; positions where the mask is False do not count.
    """
    N = len(x)
    targets = y[:, :, np.newaxis]
    shifted = x - x.max(axis=2, keepdims=True)  # leaves the softmax as it is, and exp finite
    # log p from the scores, not from p: p may underflow to 0 where log p is still finite.
    log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    log_p_target = np.take_along_axis(log_p, targets, axis=2)[:, :, 0]
    loss = np.where(mask, -log_p_target, 0).sum() / N

    dx = np.exp(log_p)
    np.put_along_axis(dx, targets, np.take_along_axis(dx, targets, axis=2) - 1, axis=2)
    return loss, np.where(mask[:, :, np.newaxis], dx, 0) / N
