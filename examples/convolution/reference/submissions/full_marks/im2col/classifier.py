"""Trained without torch: filters are pieces of training images, and least squares is all that is trained."""

import numpy as np
import torch

from convolution import conv_forward

FILTERS, SIZE = 150, 5


def train_classifier(images, labels, test_images, seed):
    rng = np.random.default_rng(seed)
    windows = np.lib.stride_tricks.sliding_window_view(images[:, 0], (SIZE, SIZE), axis=(1, 2))
    windows = windows.reshape(-1, SIZE, SIZE)
    # Pieces with much contrast hold a shape; the others are noise.
    contrast = windows.std(axis=(1, 2))
    candidates = np.flatnonzero(contrast > np.quantile(contrast, 0.9))
    filters = windows[rng.choice(candidates, FILTERS, replace=False)][:, None]
    filters = filters / np.linalg.norm(filters, axis=(2, 3), keepdims=True)

    def features(images):
        maps, _ = conv_forward(images, filters, np.zeros(FILTERS, dtype=np.float32), 1, 0)
        largest = np.abs(maps).max(axis=(2, 3))
        return np.hstack([largest, largest**2, np.ones((len(images), 1))])

    x, y = features(images), np.eye(4)[labels]
    weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    return (features(test_images) @ weights).astype(np.float64)


def smoothed_loss(scores, labels, smoothing):
    return torch.nn.functional.cross_entropy(scores, labels, label_smoothing=smoothing)
