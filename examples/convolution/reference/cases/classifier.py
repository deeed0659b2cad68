"""Cases for ``classifier.py``."""

import numpy as np


def smoothed_loss(rng, N, k, smoothing=0.0, scale=1.0):
    """Draw scores and labels; torch differentiates the loss by the scores."""
    scores, labels = scale * rng.normal(size=(N, k)), rng.integers(k, size=N)
    return {"scores": scores, "labels": labels, "smoothing": smoothing}


def _own_label_only(scores, labels, smoothing):
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    own = log_p[np.arange(len(labels)), labels]
    return {"loss": -(1 - smoothing) * own.mean()}


MISTAKES = {"smoothed_loss": {"the smoothing is not spread over the labels": _own_label_only}}
