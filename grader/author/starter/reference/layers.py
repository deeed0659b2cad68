"""Reference solution: a dense layer."""

import numpy as np


def dense_forward(x, W, b):
    """Inputs x (N, D), weights W (D, M), bias b (M,) -> out (N, M) and a cache."""
    return x @ W + b, (x, W)


def dense_backward(dout, cache):
    """Gradient dout (N, M) -> dx (N, D), dW (D, M), db (M,)."""
    x, W = cache
    return dout @ W.T, x.T @ dout, np.sum(dout, axis=0)
