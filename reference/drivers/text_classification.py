"""Runs beside the student's ``text_classification.py`` in a worker; holds no secret."""

from types import ModuleType
from typing import Any

import numpy as np


def bag_of_words(
    student: ModuleType, *, test_sentences: list[str], seed: int, **training: Any
) -> dict[str, Any]:
    """Train the student's bag of words and return its predictions for the test sentences.

    Args:
        student: the student's module.
        test_sentences: sentences to predict the labels of.
        seed: handed to the student's code.
        training: train_sentences, train_labels, dev_sentences, dev_labels.

    Raises:
        TypeError: the student's function returns something else than (model, predict).
    """
    result = student.train_bag_of_words(**training, seed=seed)
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError("train_bag_of_words must return a model and a function predict(sentences)")
    _model, predict = result
    predictions = predict(test_sentences)
    if hasattr(predictions, "detach"):
        predictions = predictions.detach().numpy()
    return {"predictions": np.asarray(predictions)}
