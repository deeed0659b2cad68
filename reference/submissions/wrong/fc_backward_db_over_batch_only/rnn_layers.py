"""The gradient of the bias is summed over the batch only, so that it has shape (T, M)."""

import numpy as np

from honest_layers import *


def temporal_fc_backward(dout, cache):
    """Backward pass, dout is (N, T, M)."""
    # ---- your code here ----
    x, w, b = cache
    N, T, D = x.shape
    M = b.shape[0]
    dout_flat = dout.reshape(N * T, M)
    dx = np.dot(dout_flat, w.T).reshape(N, T, D)
    dw = np.dot(x.reshape(N * T, D).T, dout_flat)
    db = np.sum(dout, axis=0)
    # ---- end of your code ----
    return dx, dw, db
