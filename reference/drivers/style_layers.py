"""Runs the student's ``style_loss`` in a worker, and the reference's.

The student's ``gram_matrix`` is checked by itself; here a right one takes its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

Outputs = dict[str, Any]


def style_loss(
    student: ModuleType,
    *,
    feats: list[np.ndarray],
    style_layers: list[int],
    style_targets: list[np.ndarray],
    style_weights: list[float],
) -> Outputs:
    """Features of all layers, targets (N, C, C) -> loss, and its gradients by the features.

    The gradients of all features are flattened and joined; those of layers that do not count are
    zero.
    """
    given = [torch.tensor(layer, requires_grad=True) for layer in feats]
    targets = [torch.tensor(target) for target in style_targets]
    with _right_gram(student):
        value = student.style_loss(given, list(style_layers), targets, list(style_weights))
    return {"value": _as_array(value), "gradient": _gradients(value, given)}


@contextmanager
def _right_gram(student: ModuleType) -> Iterator[None]:
    own = getattr(student, "gram_matrix", None)
    student.gram_matrix = _gram_matrix  # type: ignore[attr-defined]
    try:
        yield
    finally:
        student.gram_matrix = own  # type: ignore[attr-defined]


def _gram_matrix(features: torch.Tensor, normalize: bool = True) -> torch.Tensor:  # noqa: FBT001, FBT002
    _n, c, h, w = features.shape
    gram = torch.einsum("nihw,njhw->nij", features, features)
    return gram / (c * h * w) if normalize else gram


def _as_array(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    elif isinstance(value, int | float | np.generic):
        value = np.asarray(value)
    return value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value


def _gradients(value: Any, given: list[torch.Tensor]) -> np.ndarray:
    """Return d value / d given, joined; zeros where torch knows of no connection."""
    found: Any = [None] * len(given)
    if isinstance(value, torch.Tensor) and value.requires_grad:
        found = torch.autograd.grad(value.sum(), given, allow_unused=True)
    parts = [torch.zeros_like(a) if g is None else g for a, g in zip(given, found, strict=True)]
    return torch.cat([part.detach().flatten() for part in parts]).numpy()
