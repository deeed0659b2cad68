"""Accuracy of whatever a worker returns as predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.checks.metrics import METRICS, accuracy
from grader.errors import REASONS, Failure
from grader.isolation.wire import Opaque, TensorData

LABELS = np.array([0, 1, 1, 0, 1])


def refused(predictions: Any, labels: np.ndarray = LABELS) -> Failure:
    with pytest.raises(Failure) as caught:
        accuracy(predictions, labels)
    assert caught.value.reason in REASONS
    return caught.value


@pytest.mark.parametrize(
    "dtype", ["int64", "int8", "uint8", "uint64", "bool", "float64", "float32"]
)
@pytest.mark.parametrize(
    ("predictions", "expected"),
    [([0, 1, 1, 0, 1], 1.0), ([1, 0, 0, 1, 0], 0.0), ([0, 1, 1, 0, 0], 0.8), ([0] * 5, 0.4)],
)
def test_labels_of_any_dtype_are_counted(predictions, expected, dtype):
    array = np.array(predictions, dtype)
    for value in (array, TensorData(array), array[:, None]):
        assert accuracy(value, LABELS) == expected


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ([0.1, 0.9, 0.51, 0.49, 1.0], 1.0),
        ([0.0, 1.0, 0.5, 0.5, 0.500001], 0.8),
        ([0.0, 1.0, 0.5, 0.0, 0.5], 0.6),
    ],
)
def test_probabilities_above_one_half_are_label_one(predictions, expected):
    array = np.array(predictions)
    for value in (array, TensorData(array), array[:, None], array.astype(np.float32)):
        assert accuracy(value, LABELS) == expected


def test_scores_of_several_classes_choose_the_largest():
    labels = np.array([2, 0, 1])
    scores = np.array([[-5.0, 0.0, 9.0], [3.0, 2.0, 1.0], [100.0, 200.0, -1.0]])
    assert accuracy(scores, labels) == 1.0
    assert accuracy(-scores, labels) == 0.0
    assert accuracy(scores.astype(np.int64), labels) == 1.0
    assert accuracy(np.eye(3)[labels], labels) == 1.0
    assert accuracy(np.eye(3, dtype=bool)[labels], labels) == 1.0


def test_labels_of_several_classes_are_compared_as_such():
    assert accuracy(np.array([2, 0, 1]), np.array([2, 0, 3])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "shape", [(4,), (6,), (0,), (), (5, 2, 1), (1, 5), (2, 5), (5, 0), (0, 5), (5, 0, 2), (1, 0)]
)
def test_predictions_of_another_shape_are_refused(shape):
    failure = refused(np.zeros(shape))
    assert failure.reason == "wrong_shape"
    assert failure.message == f"the predictions have shape {shape}, expected (5,)"


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 2)])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_predictions_that_are_not_finite_are_refused(shape, wrong):
    predictions = np.full(shape, 0.5)
    predictions[3] = wrong
    failure = refused(predictions)
    assert failure.reason == "not_finite"
    count = predictions[3].size
    expected = f"{count} of {predictions.size} predictions are NaN or infinite"
    assert failure.message == expected


@pytest.mark.parametrize(
    "predictions", [[-2.0, 3.0, 1.0, 0.0, 5.0], [0, 1, 1, 0, 1.001], [-1e-9, 1, 1, 0, 1]]
)
def test_logits_are_refused_with_a_word_about_the_sigmoid(predictions):
    failure = refused(np.array(predictions))
    assert failure.reason == "mismatch"
    low, high = min(predictions), max(predictions)
    assert failure.message == (
        f"the predictions are between {low:.3g} and {high:.3g}, "
        "expected probabilities: is a sigmoid missing?"
    )
    assert refused(np.array(predictions)[:, None]).message == failure.message


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "NoneType"), ([0, 1, 1, 0, 1], "list"), ((0, 1), "tuple"), ("01101", "str"),
     ({}, "dict"), (True, "bool"), (Opaque(0, "sklearn.Pipeline"), "sklearn.Pipeline")],
)  # fmt: skip
def test_what_is_no_array_is_named(value, kind):
    failure = refused(value)
    assert failure.reason == "wrong_dtype"
    assert failure.message == f"the predictions have type {kind}, expected an array"


@pytest.mark.parametrize("dtype", ["complex128", "U3", "O", "datetime64[D]"])
def test_predictions_that_are_no_numbers_are_refused(dtype):
    failure = refused(np.zeros(5, dtype))
    assert failure.reason == "wrong_dtype"
    assert failure.message.startswith("the predictions have dtype ")


@settings(deadline=None, max_examples=200)
@given(
    hnp.arrays(
        st.sampled_from(["float64", "float16", "int64", "uint64", "int8", "bool", "complex64"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_any_array_has_an_accuracy_or_is_refused(predictions):
    labels = np.array([0, 1, 1])
    try:
        value = accuracy(predictions, labels)
    except Failure:
        return
    assert value in (0.0, 1 / 3, 2 / 3, 1.0)


def test_the_rubrics_word_for_accuracy_leads_to_it():
    assert METRICS["accuracy"] is accuracy
