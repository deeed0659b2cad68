"""Runs beside the student's ``style_transfer.py`` in a worker, and with the reference.

Each function calls one of the student's losses in float64 and returns its ``value`` and its
``gradient``, by torch's automatic differentiation, with respect to what is optimized. A loss that
does not depend on it in a way that torch can follow has a gradient of zeros.
"""

from types import ModuleType
from typing import Any

import numpy as np
import torch

Outputs = dict[str, np.ndarray]


def content_loss(
    student: ModuleType,
    *,
    content_weight: float,
    content_current: np.ndarray,
    content_target: np.ndarray,
) -> Outputs:
    """Features (N, C, H, W), weight -> loss and its gradient by ``content_current``."""
    current = torch.tensor(content_current, requires_grad=True)
    value = student.content_loss(content_weight, current, torch.tensor(content_target))
    return {"value": as_array(value), "gradient": gradient(value, current)}


def gram_matrix(
    student: ModuleType,
    *,
    features: np.ndarray,
    cotangent: np.ndarray,
    normalize: bool | None,
) -> Outputs:
    """Features (N, C, H, W) -> Gram matrices, and the gradient of sum(cotangent * them).

    ``normalize`` None leaves that argument out.
    """
    given = torch.tensor(features, requires_grad=True)
    value = student.gram_matrix(given, *(() if normalize is None else (normalize,)))
    if isinstance(value, torch.Tensor) and value.shape == cotangent.shape:
        total = (value * torch.tensor(cotangent)).sum()
    else:  # a wrong shape: the value tells that
        total = None
    return {"value": as_array(value), "gradient": gradient(total, given)}


def tv_loss(student: ModuleType, *, img: np.ndarray, tv_weight: float) -> Outputs:
    """Images (N, 3, H, W), weight -> loss and its gradient by the image."""
    image = torch.tensor(img, requires_grad=True)
    value = student.tv_loss(image, tv_weight)
    return {"value": as_array(value), "gradient": gradient(value, image)}


def as_array(value: Any) -> Any:
    """A number or a tensor of any kind as an array; what is neither stays as it is."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    elif isinstance(value, int | float | np.generic):
        value = np.asarray(value)
    # A loss of shape (1,) or (1, 1) is as good as a scalar.
    return value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value


def gradient(value: Any, given: torch.Tensor) -> np.ndarray:
    """Return d sum(value) / d given, zeros where torch knows of no connection."""
    found = None
    if isinstance(value, torch.Tensor) and value.requires_grad:
        (found,) = torch.autograd.grad(value.sum(), given, allow_unused=True)
    return (torch.zeros_like(given) if found is None else found).detach().numpy()
