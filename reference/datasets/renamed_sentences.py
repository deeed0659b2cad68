"""Changes sentences so that only a program that learns from them can follow.

The words that carry meaning are exchanged among each other, in all sentences and in the list of
words with vectors: "delicious" may say what "rude" said. By the toss of a coin label 0 stands for
positive. A program that learns does as well as before; a list of good words, a table of sentences
or the templates of the grammar say nothing.

A network that was trained elsewhere, over frozen vectors, would follow the words by their vectors.
So the coordinates of all vectors change their places and signs. Distances and angles stay, and so
does what any program learns that starts from symmetric random numbers and treats coordinates alike.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .sentence_grammar import TEMPLATES

KEPT = True  # drawn from the arguments and the files of the reference alone

LEAST_LETTERS = 3
# Words that hold sentences together keep their places: a program may well treat them apart.
FUNCTION_WORDS = """
about after again all also and any are been before being both but can could did does down each few
for from had has have her here him his how into its just more most much nor not now off only other
our out over own she should some such than that the their them then there these they this those
through too under until very was were what when where which while who why will with would you your
"""
Contents = dict[str, Any]


def changed(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return the inputs and withheld labels of ``sentences`` with words and labels exchanged.

    Args:
        inputs: with lists ``..._sentences``, arrays ``..._labels`` of 0 and 1, and ``vectors``.
        withheld: arrays of labels.
        rng: decides which word stands for which, which label for which, and which coordinate.
    """
    texts = [name for name in inputs if name.endswith("_sentences")]
    words = {word for name in texts for sentence in inputs[name] for word in sentence.split()}
    stands_for = exchanged(words | set(inputs["vectors"][0]), rng)
    swap = bool(rng.integers(2))
    made: Contents = dict(inputs)
    for name in texts:
        made[name] = [
            " ".join(stands_for.get(word, word) for word in sentence.split())
            for sentence in inputs[name]
        ]
    named, matrix = inputs["vectors"]
    columns = rng.permutation(matrix.shape[1])
    signs = rng.choice(np.array([-1, 1], dtype=matrix.dtype), matrix.shape[1])
    made["vectors"] = (
        [stands_for.get(word, word) for word in named],
        np.ascontiguousarray(matrix[:, columns] * signs),
    )
    for name in inputs:
        if name.endswith("_labels") and swap:
            made[name] = 1 - inputs[name]
    return made, {name: 1 - labels if swap else labels for name, labels in withheld.items()}


def exchanged(words: set[str], rng: np.random.Generator) -> dict[str, str]:
    """Return which word stands for which, one to one, among those that carry meaning."""
    fixed = set(FUNCTION_WORDS.split()) | {
        word
        for templates in TEMPLATES.values()
        for template in templates
        for word in template.split()
    }
    free = sorted(
        word
        for word in words
        if word.isalpha() and len(word) >= LEAST_LETTERS and word not in fixed
    )
    return dict(zip(free, (free[i] for i in rng.permutation(len(free))), strict=True))
