"""Reference solution: a layer of two-dimensional convolution, and filters that find edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray[Any, Any]
Cache = tuple[Array, Array, int, int]


def windows_of(x: Array, size: tuple[int, int], stride: int, pad: int) -> Array:
    """Return the windows of images x (N, C, H, W) that a kernel meets, (N, C, H', W', K, L)."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return sliding_window_view(padded, size, axis=(2, 3))[:, :, ::stride, ::stride]


def conv_forward(x: Array, w: Array, b: Array, stride: int, pad: int) -> tuple[Array, Cache]:
    """Images x (N, C, H, W), w (F, C, K, L), b (F,) -> out (N, F, H', W') and a cache."""
    windows = windows_of(x, w.shape[2:], stride, pad)
    out = np.einsum("nchwkl,fckl->nfhw", windows, w) + b[:, None, None]
    return out, (x, w, stride, pad)


def conv_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Gradient dout (N, F, H', W') -> dx, dw, db, each of the shape of what it belongs to."""
    x, w, stride, pad = cache
    (height, width), (rows, columns) = x.shape[2:], dout.shape[2:]
    dw = np.einsum("nchwkl,nfhw->fckl", windows_of(x, w.shape[2:], stride, pad), dout)
    dpadded = np.pad(np.zeros_like(x), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    for k, m in np.ndindex(w.shape[2:]):
        # The pixels that entry (k, m) of the kernel meets, one for each window.
        met = np.s_[:, :, k : k + stride * rows : stride, m : m + stride * columns : stride]
        dpadded[met] += np.einsum("nfhw,fc->nchw", dout, w[:, :, k, m])
    dx = dpadded[:, :, pad : pad + height, pad : pad + width]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def edge_filters() -> Array:
    """Return Sobel's filters, (2, 1, 3, 3): one for horizontal edges, one for vertical edges."""
    horizontal = np.outer([-1.0, 0.0, 1.0], [1.0, 2.0, 1.0])
    return np.stack([horizontal, horizontal.T])[:, None]
