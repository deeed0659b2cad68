"""What filters are worth that are to find edges (question 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.author import Evidence, Failure, Finding

from .. import convolution

NOTHING = 1.0e-3  # of the response to its own edges
SHAPE = (2, 1, 3, 3)


def edge_filters(
    result: Mapping[str, Any], inputs: Mapping[str, Any], withheld: Mapping[str, Any]
) -> Evidence:
    """``horizontal`` and ``vertical``: the filter answers to its own edges and nothing else.

    Raises:
        Failure: the filters are not numbers of the right shape.
    """
    del inputs
    w = np.asarray(result["returned"], dtype=np.float64)
    if w.shape != SHAPE:
        raise Failure("wrong_shape", f"edge_filters returns shape {w.shape}, expected {SHAPE}")
    if not np.isfinite(w).all():
        raise Failure("not_finite", "edge_filters returns NaN or infinite numbers")
    # Divided by the largest entry, for the size of a filter does not matter.
    w = w / np.abs(w).max(axis=(1, 2, 3), keepdims=True).clip(1.0e-12)
    largest = {
        name: np.abs(convolution.conv_forward(images, w, np.zeros(2), 1, 0)[0]).max(axis=(0, 2, 3))
        for name, images in withheld.items()
    }
    findings = [_finding(largest, 0, "horizontal"), _finding(largest, 1, "vertical")]
    return Evidence(findings=findings)


def _finding(largest: Mapping[str, Any], index: int, own: str) -> Finding:
    answer = {name: float(values[index]) for name, values in largest.items()}
    if answer[own] < NOTHING:
        return Finding(own, 0.0, f"filter {index} does not answer to {own} edges")
    others = [name for name in answer if name != own and answer[name] > NOTHING * answer[own]]
    if others:
        what = " and ".join("flat areas" if name == "flat" else f"{name} edges" for name in others)
        return Finding(own, 0.0, f"filter {index} answers to {what}, not to {own} edges alone")
    return Finding(own, 1.0)
