"""Small noisy images of four shapes, brighter or darker than what surrounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIZE, SHAPE = 12, 5
COUNTS = {"mini": (800, 400), "full": (4000, 2000)}  # images for training, withheld images
NOISE = 0.3


def drawings() -> np.ndarray:
    """Return one drawing of each class, (4, SHAPE, SHAPE): two bars, a cross and a box."""
    shapes = np.zeros((4, SHAPE, SHAPE), dtype=np.float32)
    middle = SHAPE // 2
    shapes[0, middle, :] = 1
    shapes[1, :, middle] = 1
    shapes[2, middle, :] = shapes[2, :, middle] = 1
    shapes[3] = 1
    shapes[3, 1:-1, 1:-1] = 0
    return shapes


def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw n images (n, 1, SIZE, SIZE) float32 and their labels (n,), each class equally often."""
    shapes = drawings()
    labels = rng.permutation(np.arange(n) % len(shapes))
    images = rng.normal(scale=NOISE, size=(n, 1, SIZE, SIZE)).astype(np.float32)
    for image, label in zip(images[:, 0], labels, strict=True):
        top, left = rng.integers(SIZE - SHAPE + 1, size=2)
        # Light on dark or dark on light: the sum of some pixels tells nothing.
        image[top : top + SHAPE, left : left + SHAPE] += rng.choice([-1, 1]) * shapes[label]
    return images, labels


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Draw the images of a tier; the labels of those to classify are withheld."""
    del data  # nothing is read: both tiers are drawn
    rng = np.random.default_rng(seed)
    train, test = (draw(rng, n) for n in COUNTS[tier])
    return {
        "inputs": {"train_images": train[0], "train_labels": train[1], "test_images": test[0]},
        "withheld": {"labels": test[1]},
    }
