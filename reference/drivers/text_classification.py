"""Runs beside the student's ``text_classification.py`` in a worker; holds no secret."""

import numpy as np


def bag_of_words(
    student, train_sentences, train_labels, dev_sentences, dev_labels, test_sentences, seed
):
    """Train the student's bag of words and return its predictions for the test sentences."""
    result = student.train_bag_of_words(
        train_sentences, train_labels, dev_sentences, dev_labels, seed
    )
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError("train_bag_of_words must return a model and a function predict(sentences)")
    _model, predict = result
    predictions = predict(test_sentences)
    if hasattr(predictions, "detach"):
        predictions = predictions.detach().numpy()
    return {"predictions": np.asarray(predictions)}
