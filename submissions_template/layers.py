"""The fully connected layer. GIVEN: import it, do not change it (grading uses this version)."""


def fc_forward(x, w, b):
    """Forward pass of a fully connected layer.

        out = x w + b

    Inputs:
    - x: one row per sample, shape (N, D)
    - w: weights, shape (D, M)
    - b: bias, shape (M,)

    Returns a tuple of:
    - out: shape (N, M)
    - cache: values needed in fc_backward
    """
    return x @ w + b, (x, w)


def fc_backward(dout, cache):
    """Backward pass of a fully connected layer.

    Inputs:
    - dout: gradient of the loss with respect to out, shape (N, M)
    - cache: the cache returned by fc_forward

    Returns a tuple of:
    - dx: gradient of the input, shape (N, D)
    - dw: gradient of the weights, shape (D, M)
    - db: gradient of the bias, shape (M,)
    """
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
