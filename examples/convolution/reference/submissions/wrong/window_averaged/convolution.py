import numpy as np


def conv_forward(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, C, K, L = w.shape
    xp = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    xp[:, :, pad : pad + H, pad : pad + W] = x
    out = np.zeros((N, F, 1 + (H + 2 * pad - K) // stride, 1 + (W + 2 * pad - L) // stride))
    for n in range(N):
        for f in range(F):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    window = xp[n, :, i * stride : i * stride + K, j * stride : j * stride + L]
                    out[n, f, i, j] = np.mean(window * w[f]) + b[f]
    return out, (xp, w, stride, pad)


def conv_backward(dout, cache):
    xp, w, stride, pad = cache
    F, C, K, L = w.shape
    dxp, dw = np.zeros(xp.shape), np.zeros(w.shape)
    for n in range(dout.shape[0]):
        for f in range(F):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    rows = slice(i * stride, i * stride + K)
                    columns = slice(j * stride, j * stride + L)
                    dw[f] += dout[n, f, i, j] * xp[n, :, rows, columns]
                    dxp[n, :, rows, columns] += dout[n, f, i, j] * w[f]
    dx = dxp[:, :, pad : dxp.shape[2] - pad, pad : dxp.shape[3] - pad]
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def edge_filters():
    horizontal = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    vertical = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    return np.array([[horizontal], [vertical]])
