"""Homework: a dense layer in numpy.

Replace each `raise NotImplementedError(...)` by your own code. Do not change the names of the
functions, their arguments, or what they return.
"""

import numpy as np


def dense_forward(x, W, b):
    """Multiply each row of x by W and add b.

    Inputs:
    - x: shape (N, D)
    - W: weights, shape (D, M)
    - b: bias, shape (M,)

    Returns a tuple of:
    - out: shape (N, M)
    - cache: values that you need in dense_backward
    """
    raise NotImplementedError("dense_forward")


def dense_backward(dout, cache):
    """The gradients of dense_forward.

    Inputs:
    - dout: gradient of the loss with respect to out, shape (N, M)
    - cache: what dense_forward returned

    Returns a tuple of dx (N, D), dW (D, M) and db (M,).
    """
    raise NotImplementedError("dense_backward")
