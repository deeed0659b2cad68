"""Checks the structure of the text classifiers by shapes and values, never by class names.

Each function gets the driver's result (``predictions``, ``order``, ``again``, ``parameters``; see
``drivers/text_classification.py``) and the data set's inputs, and yields what is not as the
question asks. A result can be forged; it then looks like a model that the student could have built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

SAME = 1.0e-4  # the same probability, up to rounding in another order of summation
SPARE_WORDS = 10  # unknown, padding, start and the like
OUTPUTS = 2  # a softmax over two labels is a sigmoid written differently
Result = Mapping[str, Any]


def _changed_by_order(result: Result) -> float:
    """Return the share of sentences whose prediction changes when their words are shuffled."""
    shuffled = np.asarray(result["order"], dtype=np.float64)
    straight = np.asarray(result["predictions"], dtype=np.float64)[: len(shuffled)]
    if shuffled.shape != straight.shape or not shuffled.size:
        raise ValueError("the predictions for shuffled sentences have a different shape")
    return float((np.abs(shuffled - straight) > SAME).mean())


def _sees_order(result: Result, model: str) -> Iterator[str]:
    """Say it if predictions of a model without order change when the words are shuffled."""
    if (share := _changed_by_order(result)) == 0:
        return
    first, again = (np.asarray(result[name], dtype=np.float64) for name in ("order", "again"))
    if first.shape == again.shape and (random := float((np.abs(first - again) > SAME).mean())) > 0:
        yield (
            f"predict answers differently for {random:.0%} of the sentences when called again: "
            "is dropout still on? Call model.eval() before you predict"
        )
    else:
        yield f"{model} ignores word order, but {share:.0%} of the predictions depend on it"


def _words(inputs: Result) -> int:
    return len({word for sentence in inputs["train_sentences"] for word in sentence.split()})


def bag_of_words(result: Result, inputs: Result) -> Iterator[str]:
    """A linear layer on word counts: one weight per word, blind to the order of words."""
    yield from _sees_order(result, "a bag of words")
    most = OUTPUTS * (_words(inputs) + SPARE_WORDS)
    if (count := int(result["parameters"]["count"])) > most:
        yield f"the model has {count} parameters; one weight per word plus a bias is at most {most}"


def average(result: Result, inputs: Result) -> Iterator[str]:
    """Embeddings, their mean, a linear layer: still blind to the order of words."""
    del inputs
    yield from _sees_order(result, "a mean of embeddings")


def average_embeddings(result: Result, inputs: Result) -> Iterator[str]:
    """Like ``average``; the embeddings, one row or column per word, are learned."""
    yield from average(result, inputs)
    shapes = np.asarray(result["parameters"]["shapes"]).reshape(-1, 2)
    if not (shapes > 1).all(axis=1).any():
        yield "no trainable parameter is an embedding matrix"


def recurrent(result: Result, inputs: Result) -> Iterator[str]:
    """A recurrent network: the order of words matters to it."""
    del inputs
    if _changed_by_order(result) == 0:
        yield "a recurrent network sees word order, but no prediction depends on it"
