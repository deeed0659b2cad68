"""Points around three centers, to be classified."""

import numpy as np

CLASSES, FEATURES, DISTANCE = 3, 4, 4.0
COUNTS = {"mini": (300, 200), "full": (3000, 1000)}  # points to train with, points to classify


def load(tier, data, seed):
    """Draw the points; ``inputs`` go to the student's function, ``withheld`` never does."""
    del data  # the folder that `grader grade --data DIR` names, for assignments with files of data
    rng = np.random.default_rng(seed)
    centers = DISTANCE * rng.permutation(np.eye(CLASSES, FEATURES))
    train, test = COUNTS[tier]
    labels = rng.integers(CLASSES, size=train + test)
    points = centers[labels] + rng.normal(size=(train + test, FEATURES))
    return {
        "inputs": {"train_x": points[:train], "train_y": labels[:train], "test_x": points[train:]},
        "withheld": {"labels": labels[train:]},
    }
