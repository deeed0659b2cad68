"""Changes what question 1 is about so that only a program that learns and predicts can follow.

Which class is 0 and which is 1 follows from the seed, and so does the order of their names. A
network that was trained elsewhere and comes in a file, or names that somebody wrote down, are wrong
for half of the seeds; a program that learns does not notice. There is no third class: ``finetune``
is asked to tell ants from bees, and a head with two outputs, however it is written, does.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

NAMES = ("ants", "bees", "wasps", "moths", "flies", "aphids", "beetles", "earwigs", "crickets")
Contents = dict[str, Any]


def classes(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return the inputs and withheld labels of ``insects`` with the two classes exchanged, or not.

    Args:
        inputs: with ``train_labels``, ``val_labels`` and ``class_names``.
        withheld: with ``labels``.
        rng: decides which class is 0.
    """
    made, hidden = dict(inputs), dict(withheld)
    if rng.integers(2):
        for contents, labels in ((made, "train_labels"), (made, "val_labels"), (hidden, "labels")):
            contents[labels] = 1 - contents[labels]
        made["class_names"] = list(inputs["class_names"])[::-1]
    return made, hidden


def names(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return the inputs of ``prediction_figure`` with other names for the classes."""
    chosen = rng.permutation(np.array(NAMES))[: len(inputs["class_names"])]
    return {**inputs, "class_names": [str(name) for name in chosen]}, dict(withheld)
