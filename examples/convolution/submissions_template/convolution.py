"""Homework: a layer of two-dimensional convolution in numpy, and two filters.

Replace each `raise NotImplementedError(...)` by your own code. Do not change the names of the
functions, their arguments, or what they return. You may add functions of your own. Use numpy only.

Letters used in shapes:

    N      number of images                 C  channels of an image
    H, W   height and width of an image     F  number of filters
    K, L   height and width of the kernel   H', W'  height and width of the output
"""

import numpy as np


def conv_forward(x, w, b, stride, pad):
    """Slide each filter over images that are padded with zeros; the kernel is not flipped.

    Inputs:
    - x: images, shape (N, C, H, W)
    - w: filters, shape (F, C, K, L)
    - b: biases, shape (F,)
    - stride: number of pixels from one window to the next, in both directions
    - pad: number of zeros to add on each of the four sides

    Returns a tuple of:
    - out: shape (N, F, H', W') with H' = 1 + (H + 2 * pad - K) // stride, and W' likewise
    - cache: values that you need in conv_backward
    """
    raise NotImplementedError("conv_forward")


def conv_backward(dout, cache):
    """The gradients of conv_forward.

    Inputs:
    - dout: gradient of the loss with respect to out, shape (N, F, H', W')
    - cache: what conv_forward returned

    Returns a tuple of dx (N, C, H, W), dw (F, C, K, L) and db (F,).
    """
    raise NotImplementedError("conv_backward")


def edge_filters():
    """Two filters, shape (2, 1, 3, 3), to be used with a bias of zero.

    The first answers to horizontal edges and to nothing else: it gives zero where the brightness
    does not change, and at vertical edges. The second answers to vertical edges alone.
    """
    raise NotImplementedError("edge_filters")
