"""Metrics computed on the trusted side from a worker's predictions and withheld labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.checks.numerics import as_array
from grader.errors import Failure
from grader.isolation.wire import Opaque
from grader.model import Array

PROBABILITY_THRESHOLD = 0.5


def accuracy(predictions: Any, labels: Array) -> float:
    """Return the share of right predictions.

    Args:
        predictions: (n,) labels or, for two classes, probabilities of label 1; (n, k) scores.
        labels: (n,) integers.

    Raises:
        Failure: the predictions are not of this form.
    """
    array = as_array(predictions)
    if array is None:
        opaque = type(predictions) is Opaque
        kind = predictions.type_name if opaque else type(predictions).__name__
        raise Failure("wrong_dtype", f"the predictions have type {kind}, expected an array")
    if array.ndim == 2 and array.shape[1] == 1:  # noqa: PLR2004
        array = array[:, 0]
    if array.ndim not in (1, 2) or len(array) != len(labels) or array.size == 0:
        message = f"the predictions have shape {array.shape}, expected ({len(labels)},)"
        raise Failure("wrong_shape", message)
    if array.dtype.kind not in "fiub":
        raise Failure("wrong_dtype", f"the predictions have dtype {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise Failure("not_finite", f"{bad} of {array.size} predictions are NaN or infinite")
    if array.ndim == 2:  # noqa: PLR2004
        chosen = array.argmax(axis=1)
    elif array.dtype.kind == "f":
        if array.min() < 0 or array.max() > 1:
            message = (
                f"the predictions are between {array.min():.3g} and {array.max():.3g}, "
                "expected probabilities: is a sigmoid missing?"
            )
            raise Failure("mismatch", message)
        chosen = (array > PROBABILITY_THRESHOLD).astype(np.int64)
    else:
        chosen = array.astype(np.int64)
    return float((chosen == labels).mean())


METRICS: dict[str, Callable[[Any, Array], float]] = {"accuracy": accuracy}
