"""Cases for ``classifier.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from grader.author import Case


def _drawn(rng: np.random.Generator, n: int, k: int, smoothing: float) -> dict[str, Any]:
    scores, labels = rng.normal(size=(n, k)), rng.integers(k, size=n)
    return {"scores": scores, "labels": labels, "smoothing": smoothing}


def smoothed_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield scores with labels; torch differentiates the loss by the scores."""
    yield Case("N=4 k=3", _drawn(rng, 4, 3, 0.1))
    yield Case("N=2 k=5", _drawn(rng, 2, 5, 0.3))
    yield Case("no smoothing", _drawn(rng, 3, 4, 0.0), "edge_cases")
    large = _drawn(rng, 3, 4, 0.2)
    yield Case("large scores", {**large, "scores": 1.0e3 * large["scores"]}, "edge_cases")


def _own_label_only(scores: Any, labels: Any, smoothing: float) -> dict[str, Any]:
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    own = log_p[np.arange(len(labels)), labels]
    return {"loss": -(1 - smoothing) * own.mean()}


MISTAKES = {"smoothed_loss": {"the smoothing is not spread over the labels": _own_label_only}}
