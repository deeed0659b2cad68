"""Images, and a model that is usually wrong about them, for ``visualize_model`` (question 1.2).

The model judges drawn insects by their mean color. The images are chosen so that it is sure of
each, that images next to each other get different predictions, and that each label differs from the
prediction: a figure with the labels, or with titles one image off, cannot look right; neither can
one with predictions made in training mode. Both tiers are the same.
"""

from pathlib import Path
from typing import Any

import numpy as np

from . import insect_drawings

KEPT = True  # drawn from the arguments and the files of the reference alone

CLASSES = ("ants", "bees", "wasps")
TRAIN, VAL = 8, 12  # images
DRAWN = 60  # to choose from
SURE = 0.4  # by how much the best score is ahead of the next
NUM_IMAGES = (0, 3)  # of two calls; 0: the argument is left out
MEAN, STD = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))  # of normalization
EPS = 1e-5  # of the batch norm

Parameters = dict[str, np.ndarray]


def draw_model(rng: np.random.Generator) -> Parameters:
    """Draw a model: a batch norm, then one color channel speaks for each class."""
    return {
        "norm.weight": np.ones(3),
        "norm.bias": np.zeros(3),
        "norm.running_mean": rng.normal(0, 1, 3),
        "norm.running_var": rng.uniform(0.5, 1.5, 3),
        "fc.weight": np.eye(3)[rng.permutation(3)] * 2 + rng.normal(0, 0.1, (3, 3)),
        "fc.bias": rng.normal(0, 0.2, 3),
    }


def scores(
    colours: np.ndarray, parameters: Parameters, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Scores (n, CLASSES) for mean colors (n, 3); the batch norm has ``mean`` and ``variance``."""
    normed = (colours - mean) / np.sqrt(variance + EPS)
    return np.asarray(normed @ parameters["fc.weight"].T + parameters["fc.bias"])


def choose(colours: np.ndarray, squares: np.ndarray, parameters: Parameters) -> list[int] | None:
    """Choose TRAIN + VAL images that fit a model, the VAL ones first; None if there are too few.

    Args:
        colours: means of the normalized pixels of each image, (n, 3).
        squares: means of their squares, (n, 3).
        parameters: the model.
    """
    running = parameters["norm.running_mean"], parameters["norm.running_var"]
    given = scores(colours, parameters, *running)
    predicted, ordered = given.argmax(axis=1), np.sort(given, axis=1)
    sure = ordered[:, -1] - ordered[:, -2] > SURE
    queues = [np.flatnonzero(sure & (predicted == label)).tolist() for label in range(3)]
    if min(map(len, queues)) * 3 < TRAIN + VAL + 1:
        return None
    order = [queues[i % 3][i // 3] for i in range(TRAIN + VAL)]  # the classes take turns
    first = order[: max(NUM_IMAGES)]
    for size in (max(NUM_IMAGES), 4, VAL):  # in training mode, a batch has its own statistics
        batch = order[:size]
        mean = colours[batch].mean(axis=0)
        variance = squares[batch].mean(axis=0) - mean**2
        wrong = scores(colours[first], parameters, mean, variance).argmax(axis=1)
        if (wrong == predicted[first]).all():
            return None
    return order


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Draw the images and choose the model.

    Args:
        tier: ``"mini"`` or ``"full"``, which are the same.
        data: not used.
        seed: decides everything.

    Returns:
        ``inputs``: ``train_images``, ``val_images`` (n, S, S, 3) uint8 with ``train_labels``,
        ``val_labels`` (n,) int64, ``parameters`` of the model, ``class_names`` and ``num_images``.
        ``withheld``: ``predictions`` (n,) int64 for the validation images.

    Raises:
        ValueError: an unknown tier.
    """
    del data
    if tier not in {"mini", "full"}:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    rng = np.random.default_rng(seed)
    kinds = [insect_drawings.ALL_SPECIES[i] for i in rng.integers(0, 108, DRAWN)]
    drawn = insect_drawings.draw_many(rng, kinds)
    pixels = (drawn / 255 - MEAN) / STD
    colours, squares = pixels.mean(axis=(1, 2)), (pixels**2).mean(axis=(1, 2))
    order = None
    while order is None:
        parameters = draw_model(rng)
        order = choose(colours, squares, parameters)
    running = parameters["norm.running_mean"], parameters["norm.running_var"]
    images = drawn[order]
    predicted = scores(colours[order], parameters, *running).argmax(axis=1).astype(np.int64)
    labels = (predicted + rng.integers(1, 3, len(order))) % 3
    typed = {name: value.astype(np.float32) for name, value in parameters.items()}
    typed["norm.num_batches_tracked"] = np.array(0)
    return {
        "inputs": {
            "val_images": images[:VAL],
            "val_labels": labels[:VAL],
            "train_images": images[VAL:],
            "train_labels": labels[VAL:],
            "parameters": typed,
            "class_names": list(CLASSES),
            "num_images": list(NUM_IMAGES),
        },
        "withheld": {"predictions": predicted[:VAL]},
    }
