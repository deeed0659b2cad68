"""The gradient is not masked (the loss is)."""

import numpy as np

from honest_layers import *


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
    dx = dscores.reshape(N, T, V)
    # ---- end of your code ----
    return loss, dx
