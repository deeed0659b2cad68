"""Changes what question 1 is about so that only a program that learns and predicts can follow.

Which class is 0 and which is 1 follows from the seed, and so does the order of their names. A
network that was trained elsewhere and comes in a file, or names that somebody wrote down, are wrong
for half of the seeds; a program that learns does not notice.

A head from a file could be exchanged when the labels are. So drawn insects are of two other species
that differ in as many parts as ants and bees: what tells these apart says nothing about them.

There is no third class: the homework asks to tell ants from bees, and the tutorial that it follows
has ``nn.Linear(num_ftrs, 2)``. A head with two outputs, however it is written, does what is asked.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import insect_drawings
from .insects import MINI

KEPT = True  # drawn from the arguments and the files of the reference alone

# What the two species exchange. A head for ants and bees, its outputs exchanged or not, is right
# for about half of the drawings; with wings or legs in place of the pattern it can be for 80 %.
CROSSED = ("segments", "pattern")
NAMES = ("ants", "bees", "wasps", "moths", "flies", "aphids", "beetles", "earwigs", "crickets")
Contents = dict[str, Any]


def classes(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return ``insects`` with the two classes exchanged, or not, and other species where drawn.

    Args:
        inputs: with ``train_images``, ``train_labels``, the same for ``val``, ``class_names`` and
            ``network``.
        withheld: with ``images`` and ``labels``.
        rng: decides which class is 0, and draws.
    """
    made, hidden = dict(inputs), dict(withheld)
    if inputs["network"]["architecture"] == MINI:
        both = _species()
        for contents, name in ((made, "train_"), (made, "val_"), (hidden, "")):
            labels = contents[f"{name}labels"]
            species = [both[label] for label in labels]
            contents[f"{name}images"] = insect_drawings.draw_many(rng, species)
        made["class_names"] = [str(name) for name in rng.permutation(np.array(NAMES))[:2]]
    if rng.integers(2):
        for contents, labels in ((made, "train_labels"), (made, "val_labels"), (hidden, "labels")):
            contents[labels] = 1 - contents[labels]
        made["class_names"] = list(made["class_names"])[::-1]
    return made, hidden


def _species() -> tuple[insect_drawings.Species, ...]:
    """Return two species that differ in the same parts as ants and bees, put together otherwise."""
    ant, bee = insect_drawings.ANT._asdict(), insect_drawings.BEE._asdict()
    for part in CROSSED:
        ant[part], bee[part] = bee[part], ant[part]
    return tuple(insect_drawings.Species(**{**one, "antennae": False}) for one in (ant, bee))


def names(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return the inputs of ``prediction_figure`` with other names for the classes."""
    chosen = rng.permutation(np.array(NAMES))[: len(inputs["class_names"])]
    return {**inputs, "class_names": [str(name) for name in chosen]}, dict(withheld)
