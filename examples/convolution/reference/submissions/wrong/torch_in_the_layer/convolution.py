import numpy as np
import torch


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
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward(dout, cache):
    *arrays, stride, pad = cache
    x, w, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    out = torch.nn.functional.conv2d(x, w, b, stride, pad)
    out.backward(torch.tensor(dout))
    return x.grad.numpy(), w.grad.numpy(), b.grad.numpy()


def edge_filters():
    horizontal = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    vertical = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    return np.array([[horizontal], [vertical]])
