"""The last layer of a network for question 1: its arrays, and the way on which training led to it.

The driver returns the ways of all layers of a head's shape: the first value of each is the layer
before the first step of its optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.author import Failure

HEAD = "fc."
ROUNDING = 1.0e-5  # of a head's size
SPREAD = 0.15  # from that of a uniform distribution; 200 numbers that are drawn differ by 0.03
# The most that a head may be off its way, of the distance from its start. Averages over training
# have 0.1; a head that has nothing to do with the way has 1.
MOST_OFF = 0.7

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Way:
    """The way that came closest to a head.

    What is added to all rows alike does not count in distances: no prediction depends on it.

    Attributes:
        start: (m, n + 1), weights and, in the last column, biases before the first step.
        off: the distance of the head from the nearest value on the way.
        length: the largest distance from the start.
        leads_there: whether the head lies on the way, or much nearer to it than to its start.
    """

    start: Array
    off: float
    length: float
    leads_there: bool


def arrays_of(parameters: Mapping[str, Array]) -> tuple[Array, Array | None]:
    """Return weight (outputs, features) and bias (outputs,) or None of the one linear layer.

    Raises:
        Failure: ``model.fc`` is something else.
    """
    head = {name: array for name, array in parameters.items() if name.startswith(HEAD)}
    weights = [name for name in head if name.endswith("weight")]
    if len(weights) != 1 or head[weights[0]].ndim != 2:
        raise Failure(
            "mismatch",
            "model.fc must be one linear layer (nn.Linear, alone or in an nn.Sequential with "
            f"layers without parameters); its arrays are {', '.join(sorted(head)) or 'missing'}",
        )
    stem = weights[0].removesuffix("weight")
    others = set(head) - {f"{stem}weight", f"{stem}bias"}
    if others:
        raise Failure("mismatch", f"model.fc has arrays that no linear layer has: {others}")
    return head[weights[0]], head.get(f"{stem}bias")


def named(stem: str, head: Array) -> dict[str, Array]:
    """Weights with biases as a last column -> arrays by name."""
    made = head.astype(np.float32)
    return {f"{stem}weight": made[:, :-1], f"{stem}bias": made[:, -1]}


def earlier(parameters: Mapping[str, Array], seen: Mapping[str, Any]) -> list[dict[str, Array]]:
    """Return the head as it was before training and in the middle of it, if that was seen."""
    weight, bias = arrays_of(parameters)
    paths = [path for path in _paths(seen, weight) if len(path) > 1]
    names = [name for name in parameters if name.startswith(HEAD) and parameters[name] is weight]
    if not paths or bias is None or not names:
        return []
    stem = names[0].removesuffix("weight")
    return [named(stem, value) for value in (paths[-1][0], paths[-1][len(paths[-1]) // 2])]


def way_to(parameters: Mapping[str, Array], seen: Mapping[str, Any]) -> Way | None:
    """Return the way that came closest to the head; None if no layer of its shape was trained."""
    weight, bias = arrays_of(parameters)
    head = np.column_stack([weight, np.zeros(len(weight)) if bias is None else bias])
    paths = _paths(seen, weight)
    if not paths:
        return None
    off = [float(_distances(path, head).min()) for path in paths]
    path = paths[int(np.argmin(off))]
    length = float(_distances(path, path[0]).max())
    far = float(_distances(path[:1], head)[0])
    near = min(off) <= MOST_OFF * far + ROUNDING * float(np.linalg.norm(head))
    return Way(path[0], min(off), length, near)


def _distances(path: Array, head: Array) -> Array:
    """Return how far each head of a way is from a head, up to what all rows share, (k,)."""
    apart = path - head
    distances: Array = np.linalg.norm(apart - apart.mean(axis=1, keepdims=True), axis=(1, 2))
    return distances


def is_as_drawn(head: Array) -> bool:
    """Say whether a head is like those that ``nn.Linear`` draws: uniform within 1 / sqrt(n).

    Args:
        head: (m, n + 1), weights and biases.
    """
    bound = 1 / np.sqrt(head.shape[1] - 1)
    spread = float(head.std()) * np.sqrt(3) / bound
    largest = float(np.abs(head).max())
    return bool(largest <= bound * (1 + ROUNDING) and abs(spread - 1) <= SPREAD)


def _paths(seen: Mapping[str, Any], weight: Array) -> list[Array]:
    """Return the ways of layers of a head's shape, (k, m, n + 1) each with the bias as a column."""
    paths = [np.asarray(path, dtype=np.float64) for path in seen.get("paths", ())]
    shape = len(weight), weight.shape[1] + 1
    return [path for path in paths if path.ndim == 3 and path.shape[1:] == shape]
