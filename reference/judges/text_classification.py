"""Checks the structure of the text classifiers by shapes and values, never by class names.

Each judge gets the driver's result (``predictions``, ``order``, ``again``, ``parameters``; see
``drivers/text_classification.py``) and has one finding, ``structure``: whether the model is as the
question asks. A result can be forged; it then looks like a model that the student could have built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.author import Evidence, Finding

SAME = 1.0e-4  # the same probability, up to rounding in another order of summation
SPARE_WORDS = 10  # unknown, padding, start and the like
OUTPUTS = 2  # a softmax over two labels is a sigmoid written differently
# What a driver returns predictions for.
BATCHES = {
    "predictions": "the sentences",
    "order": "the shuffled sentences",
    "again": "the shuffled sentences, a second time,",
}
Result = Mapping[str, Any]


def bag_of_words(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """A linear layer on word counts: one weight per word, blind to the order of words."""
    del withheld
    return _structure(_not_a_bag_of_words(result, inputs))


def average(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """Embeddings, their mean, a linear layer: still blind to the order of words."""
    del inputs, withheld
    return _structure(_sees_order(result, "a mean of embeddings"))


def average_embeddings(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """Like ``average``; the embeddings, one row or column per word, are learned."""
    del inputs, withheld
    return _structure(_no_learned_embeddings(result))


def recurrent(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """A recurrent network: the order of words matters to it."""
    del inputs, withheld
    return _structure(_blind_to_order(result))


def _structure(wrong: Iterable[str]) -> Evidence:
    """Make a finding of what is not as the question asks."""
    texts = list(wrong)
    return Evidence(findings=[Finding("structure", float(not texts), "; ".join(texts))])


def _changed_by_order(result: Result) -> float:
    """Return the share of sentences whose prediction changes when their words are shuffled."""
    shuffled = np.asarray(result["order"], dtype=np.float64)
    straight = np.asarray(result["predictions"], dtype=np.float64)[: len(shuffled)]
    if shuffled.shape != straight.shape or not shuffled.size:
        raise ValueError("the predictions for shuffled sentences have a different shape")
    return _different(shuffled, straight)


def _different(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of entries that differ; what is not finite is not the same as anything."""
    return float((~(np.abs(first - second) <= SAME)).mean())


def _not_finite(result: Result) -> str:
    """Say that predictions are not numbers: they then prove nothing about the model."""
    for name, of in BATCHES.items():
        found = np.asarray(result[name], dtype=np.float64)
        if bad := int((~np.isfinite(found)).sum()):
            return f"{bad} of {found.size} predictions for {of} are NaN or infinite"
    return ""


def _sees_order(result: Result, model: str) -> Iterator[str]:
    """Say it if predictions of a model without order change when the words are shuffled."""
    if text := _not_finite(result):
        yield text
        return
    if (share := _changed_by_order(result)) == 0:
        return
    first, again = (np.asarray(result[name], dtype=np.float64) for name in ("order", "again"))
    if first.shape == again.shape and (random := _different(first, again)) > 0:
        yield (
            f"predict answers differently for {random:.0%} of the sentences when called again: "
            "is dropout still on? Call model.eval() before you predict"
        )
    else:
        yield f"{model} ignores word order, but {share:.0%} of the predictions depend on it"


def _words(inputs: Result) -> int:
    return len({word for sentence in inputs["train_sentences"] for word in sentence.split()})


def _not_a_bag_of_words(result: Result, inputs: Result) -> Iterator[str]:
    yield from _sees_order(result, "a bag of words")
    most = OUTPUTS * (_words(inputs) + SPARE_WORDS)
    if (count := int(result["parameters"]["count"])) > most:
        yield f"the model has {count} parameters; one weight per word plus a bias is at most {most}"


def _no_learned_embeddings(result: Result) -> Iterator[str]:
    yield from _sees_order(result, "a mean of embeddings")
    shapes = np.asarray(result["parameters"]["shapes"]).reshape(-1, 2)
    if not (shapes > 1).all(axis=1).any():
        yield "no trainable parameter is an embedding matrix"


def _blind_to_order(result: Result) -> Iterator[str]:
    if text := _not_finite(result):
        yield text
    elif _changed_by_order(result) == 0:
        yield "a recurrent network sees word order, but no prediction depends on it"
