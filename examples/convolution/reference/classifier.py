"""Reference solution: a small convolutional network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

CLASSES, FILTERS, EPOCHS, BATCH = 4, 12, 10, 32


def train_classifier(
    images: np.ndarray, labels: np.ndarray, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Images (n, 1, H, W) float32, labels (n,) -> predict(images (m, 1, H, W)) -> labels (m,)."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        *(nn.Conv2d(1, FILTERS, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(FILTERS, 2 * FILTERS, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(2 * FILTERS, CLASSES)),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    x, y = torch.tensor(images), torch.tensor(labels)
    for _epoch in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(network(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            scores: np.ndarray = network(torch.tensor(images)).argmax(dim=1).numpy()
        return scores

    return predict
