"""Cases for the losses of ``style_transfer.py``: all sizes differ, so that every mix-up shows.

The last case repeats the sizes of the first one with other values.

``MISTAKES`` run the drivers of the checks on losses that are wrong on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.author import Case

from . import style_mistakes

Array = np.ndarray[Any, Any]

BATCHES = "batches"
EDGE = "edge_cases"
UNNORMALISED = "unnormalized"

MISTAKES: Mapping[str, Mapping[str, Callable[..., dict[str, Array]]]] = style_mistakes.MISTAKES


def _features(rng: np.random.Generator, *shape: int) -> Array:
    """Features as after a ReLU: not negative, many of them zero."""
    return np.maximum(rng.normal(0.3, 1.0, size=shape), 0.0)


def content_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield pairs of features with a weight."""

    def arguments(weight: float, *shape: int) -> dict[str, Any]:
        pair = {name: _features(rng, *shape) for name in ("content_current", "content_target")}
        return {"content_weight": weight, **pair}

    yield Case("N=1 C=4 H=5 W=7", arguments(0.06, 1, 4, 5, 7))
    yield Case("N=1 C=8 H=3 W=2", arguments(5.0, 1, 8, 3, 2))
    yield Case("N=3", arguments(0.5, 3, 4, 2, 5), BATCHES)
    yield Case("C=1", arguments(0.7, 1, 1, 3, 4), EDGE)
    yield Case("H=1", arguments(2.0, 1, 3, 1, 6), EDGE)
    same = arguments(3.0, 1, 2, 3, 4)
    yield Case("current = target", {**same, "content_target": same["content_current"]}, EDGE)
    yield Case("N=1 C=4 H=5 W=7 again", arguments(0.06, 1, 4, 5, 7))


def gram_matrix(rng: np.random.Generator) -> Iterator[Case]:
    """Yield features with a cotangent for each entry of their Gram matrices."""

    def arguments(normalize: bool | None, n: int, c: int, h: int, w: int) -> dict[str, Any]:  # noqa: FBT001
        return {
            "features": _features(rng, n, c, h, w),
            "cotangent": rng.normal(size=(n, c, c)),
            "normalize": normalize,
        }

    yield Case("C=4 H=3 W=5, normalize not given", arguments(None, 1, 4, 3, 5))
    yield Case("C=3 H=7 W=2, normalize=True", arguments(True, 1, 3, 7, 2))
    yield Case("C=4 H=3 W=5, normalize=False", arguments(False, 1, 4, 3, 5), UNNORMALISED)
    yield Case("N=3", arguments(None, 3, 4, 2, 5), BATCHES)
    yield Case("N=2, normalize=True", arguments(True, 2, 5, 4, 3), BATCHES)
    yield Case("C=1", arguments(None, 1, 1, 4, 3), EDGE)
    yield Case("H=1", arguments(None, 1, 3, 1, 5), EDGE)
    yield Case("H=W=1, N=2", arguments(None, 2, 3, 1, 1), EDGE)
    yield Case("C=4 H=3 W=5, normalize not given, again", arguments(None, 1, 4, 3, 5))


def style_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield features of five layers, only some of which count."""

    def arguments(n: int, layers: list[int], weights: list[float]) -> dict[str, Any]:
        sizes = [(3, 7, 6), (4, 5, 3), (5, 3, 4), (2, 4, 3), (6, 2, 2)]
        targets = [
            np.einsum("nipq,njpq->nij", f, f) / f[0].size
            for f in (_features(rng, n, sizes[i][0], 3, 4) for i in layers)
        ]
        return {
            "feats": [_features(rng, n, *size) for size in sizes],
            "style_layers": layers,
            "style_targets": targets,
            "style_weights": weights,
        }

    yield Case("layers 1, 3, 4", arguments(1, [1, 3, 4], [20.0, 5.0, 0.5]))
    yield Case("layers 0, 1, 2, 3", arguments(1, [0, 1, 2, 3], [3.0, 50.0, 1.2, 10.0]))
    yield Case("N=2", arguments(2, [1, 2], [4.0, 9.0]), BATCHES)
    yield Case("one layer", arguments(1, [2], [7.0]), EDGE)
    yield Case("layers 4, 0, 2", arguments(1, [4, 0, 2], [2.0, 8.0, 5.0]), EDGE)
    yield Case("a weight of 0", arguments(1, [0, 3], [0.0, 6.0]), EDGE)
    yield Case("layers 1, 3, 4 again", arguments(1, [1, 3, 4], [20.0, 5.0, 0.5]))


def tv_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images with a weight."""

    def arguments(weight: float, *shape: int) -> dict[str, Any]:
        return {"img": rng.normal(size=shape), "tv_weight": weight}

    yield Case("H=5 W=7", arguments(0.02, 1, 3, 5, 7))
    yield Case("H=8 W=4", arguments(3.0, 1, 3, 8, 4))
    yield Case("N=3", arguments(0.5, 3, 3, 4, 5), BATCHES)
    yield Case("H=1", arguments(2.0, 1, 3, 1, 6), EDGE)
    yield Case("W=1", arguments(2.0, 1, 3, 6, 1), EDGE)
    yield Case("one color", {"img": np.full((1, 3, 4, 5), 0.7), "tv_weight": 1.0}, EDGE)
    yield Case("H=5 W=7 again", arguments(0.02, 1, 3, 5, 7))
