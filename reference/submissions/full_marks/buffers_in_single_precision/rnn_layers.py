"""Homework: recurrent networks in numpy."""

import numpy as np

# =================================================================================================
# Vanilla RNN
# =================================================================================================


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One time step: x (N, D), prev_h (N, H) -> next_h (N, H)."""
    # ---- your code here ----
    next_h = np.tanh(np.dot(x, Wx) + np.dot(prev_h, Wh) + b)
    cache = (x, prev_h, Wx, Wh, next_h)
    # ---- end of your code ----
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    """Backward pass of one time step."""
    # ---- your code here ----
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (1 - next_h**2)
    dx = np.dot(dtanh, Wx.T)
    dprev_h = np.dot(dtanh, Wh.T)
    dWx = np.dot(x.T, dtanh)
    dWh = np.dot(prev_h.T, dtanh)
    db = np.sum(dtanh, axis=0)
    # ---- end of your code ----
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    """Whole sequence: x (T, N, D), h0 (N, H) -> h (T, N, H)."""
    # ---- your code here ----
    T, N, D = x.shape
    H = h0.shape[1]
    h = np.zeros((T, N, H), dtype=np.float32)
    cache = []
    prev_h = h0
    for t in range(T):
        h[t], step_cache = rnn_step_forward(x[t], prev_h, Wx, Wh, b)
        cache.append(step_cache)
        prev_h = h[t]
    # ---- end of your code ----
    return h, cache


def rnn_backward(dh, cache):
    """Backward pass of the whole sequence, dh is (T, N, H)."""
    # ---- your code here ----
    T, N, H = dh.shape
    Wx = cache[0][2]
    D = Wx.shape[0]
    dx = np.zeros((T, N, D), dtype=np.float32)
    dWx = np.zeros((D, H), dtype=np.float32)
    dWh = np.zeros((H, H), dtype=np.float32)
    db = np.zeros(H, dtype=np.float32)
    dprev_h = np.zeros((N, H), dtype=np.float32)
    for t in range(T - 1, -1, -1):
        dnext_h = dh[t] + dprev_h
        dx[t], dprev_h, dWx_t, dWh_t, db_t = rnn_step_backward(dnext_h, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev_h
    # ---- end of your code ----
    return dx, dh0, dWx, dWh, db


# =================================================================================================
# LSTM
# =================================================================================================


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
    """One time step: x (N, D), prev_h and prev_c (N, H) -> next_h, next_c (N, H)."""
    # ---- your code here ----
    H = prev_h.shape[1]
    a = np.dot(x, Wx) + np.dot(prev_h, Wh) + b
    f = sigmoid(a[:, 0:H])
    i = sigmoid(a[:, H : 2 * H])
    g = np.tanh(a[:, 2 * H : 3 * H])
    o = sigmoid(a[:, 3 * H : 4 * H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, f, i, g, o, next_c)
    # ---- end of your code ----
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Backward pass of one time step."""
    # ---- your code here ----
    x, prev_h, prev_c, Wx, Wh, f, i, g, o, next_c = cache
    # cell state
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    # gates
    df = dc * prev_c
    di = dc * g
    dg = dc * i
    do = dnext_h * np.tanh(next_c)
    # before sigmoid and tanh
    daf = df * f * (1 - f)
    dai = di * i * (1 - i)
    dag = dg * (1 - g**2)
    dao = do * o * (1 - o)
    da = np.hstack((daf, dai, dag, dao))
    dx = np.dot(da, Wx.T)
    dprev_h = np.dot(da, Wh.T)
    dprev_c = dc * f
    dWx = np.dot(x.T, da)
    dWh = np.dot(prev_h.T, da)
    db = np.sum(da, axis=0)
    # ---- end of your code ----
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_forward(x, h0, Wx, Wh, b):
    """Whole sequence: x (T, N, D), h0 (N, H) -> h (T, N, H), first cell state is 0."""
    # ---- your code here ----
    T, N, D = x.shape
    H = h0.shape[1]
    h = np.zeros((T, N, H), dtype=np.float32)
    cache = []
    prev_h = h0
    prev_c = np.zeros((N, H), dtype=np.float32)
    for t in range(T):
        h[t], prev_c, step_cache = lstm_step_forward(x[t], prev_h, prev_c, Wx, Wh, b)
        cache.append(step_cache)
        prev_h = h[t]
    # ---- end of your code ----
    return h, cache


def lstm_backward(dh, cache):
    """Backward pass of the whole sequence, dh is (T, N, H)."""
    # ---- your code here ----
    T, N, _ = dh.shape
    Wx = cache[0][3]
    D = Wx.shape[0]
    H = Wx.shape[1] // 4
    dx = np.zeros((T, N, D), dtype=np.float32)
    dWx = np.zeros((D, 4 * H), dtype=np.float32)
    dWh = np.zeros((H, 4 * H), dtype=np.float32)
    db = np.zeros(4 * H, dtype=np.float32)
    dprev_h = np.zeros((N, H), dtype=np.float32)
    dprev_c = np.zeros((N, H), dtype=np.float32)
    for t in range(T - 1, -1, -1):
        dnext_h = dh[t] + dprev_h
        step_grads = lstm_step_backward(dnext_h, dprev_c, cache[t])
        dx[t], dprev_h, dprev_c, dWx_t, dWh_t, db_t = step_grads
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev_h
    # ---- end of your code ----
    return dx, dh0, dWx, dWh, db


# =================================================================================================
# Word embedding
# =================================================================================================


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


# =================================================================================================
# Fully connected layer and softmax loss over time
# =================================================================================================


def temporal_fc_forward(x, w, b):
    """x (N, T, D) -> out (N, T, M)"""
    # ---- your code here ----
    N, T, D = x.shape
    M = b.shape[0]
    out = np.dot(x.reshape(N * T, D), w) + b
    out = out.reshape(N, T, M)
    cache = (x, w, b)
    # ---- end of your code ----
    return out, cache


def temporal_fc_backward(dout, cache):
    """Backward pass, dout is (N, T, M)."""
    # ---- your code here ----
    x, w, b = cache
    N, T, D = x.shape
    M = b.shape[0]
    dout_flat = dout.reshape(N * T, M)
    dx = np.dot(dout_flat, w.T).reshape(N, T, D)
    dw = np.dot(x.reshape(N * T, D).T, dout_flat)
    db = np.sum(dout, axis=(0, 1))
    # ---- end of your code ----
    return dx, dw, db


def temporal_softmax_loss(x, y, mask):
    """x (N, T, V), y (N, T), mask (N, T) -> loss, dx (N, T, V)"""
    # ---- your code here ----
    N, T, V = x.shape
    # one row per word
    scores = x.reshape(N * T, V)
    y_flat = y.reshape(N * T)
    mask_flat = mask.reshape(N * T)
    rows = np.arange(N * T)

    scores = scores - np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    sums = np.sum(exp_scores, axis=1, keepdims=True)
    probs = exp_scores / sums
    log_probs = scores - np.log(sums)
    loss = -np.sum(log_probs[rows, y_flat] * mask_flat) / N

    dscores = probs.copy()
    dscores[rows, y_flat] -= 1
    dscores /= N
    dscores *= mask_flat[:, np.newaxis]
    dx = dscores.reshape(N, T, V)
    # ---- end of your code ----
    return loss, dx
