"""What typical wrong programs of question 2 compute, so that a message can name the mistake.

Every function here is wrong on purpose, in the way that its description in ``MISTAKES`` says. Torch
is imported when one is called, not with this file: rubrics are read without it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Outputs = dict[str, Array]
Wrong = Callable[..., Any]

NO_GRADIENT = "the gradient is lost: .detach(), .data, .item(), numpy or a new tensor cuts it off"


def _driven(name: str, wrong: Wrong) -> Callable[..., Outputs]:
    """Return what the check's driver gets from a wrong function."""

    def run(**arguments: Any) -> Outputs:
        from ..drivers import style_layers, style_pieces

        drivers = style_layers if name == "style_loss" else style_pieces
        found: Outputs = getattr(drivers, name)(SimpleNamespace(**{name: wrong}), **arguments)
        return found

    return run


def _no_gradient(of: str) -> Callable[..., Outputs]:
    """Return zeros for the gradient, by the argument ``of`` (an array, or a list of arrays)."""

    def run(**arguments: Any) -> Outputs:
        given = arguments[of]
        if isinstance(given, np.ndarray):
            return {"gradient": np.zeros_like(given)}
        return {"gradient": np.zeros(sum(array.size for array in given))}

    return run


# content_loss

CONTENT: dict[str, Wrong] = {
    "the mean is taken instead of the sum": lambda w, x, y: w * ((x - y) ** 2).mean(),
    "the sum is halved": lambda w, x, y: w * ((x - y) ** 2).sum() / 2,
    "content_weight is left out": lambda _w, x, y: ((x - y) ** 2).sum(),
    "the sum is divided by the batch size N": lambda w, x, y: w * ((x - y) ** 2).sum() / len(x),
    "the differences are not squared": lambda w, x, y: w * (x - y).abs().sum(),
    "the square root of the sum of squares is taken": lambda w, x, y: w * (x - y).norm(),
    "content_weight is squared as well": lambda w, x, y: ((w * (x - y)) ** 2).sum(),
}


# gram_matrix


def _gram(x: Any) -> Any:
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2)


def _gram_of_rows(x: Any) -> Any:
    n, c, h, w = x.shape
    flat = x.reshape(n, h * w, c)
    return flat.transpose(1, 2) @ flat


def _scaled(divisor: Callable[..., float]) -> Wrong:
    def wrong(x: Any, normalize: bool = True) -> Any:  # noqa: FBT001, FBT002 - the homework's
        return _gram(x) / divisor(*x.shape) if normalize else _gram(x)

    return wrong


GRAM: dict[str, Wrong] = {
    "the matrix is never divided by C * H * W": lambda x, _normalize=True: _gram(x),
    "the matrix is divided by C * H * W even if normalize is False": (
        lambda x, _normalize=True: _gram(x) / x[0].numel()
    ),
    "normalize does the opposite of what it should": (
        lambda x, normalize=True: _gram(x) if normalize else _gram(x) / x[0].numel()
    ),
    "the matrix is divided by H * W instead of C * H * W": _scaled(lambda _n, _c, h, w: h * w),
    "the matrix is divided by C instead of C * H * W": _scaled(lambda _n, c, _h, _w: c),
    "the matrix is divided by C * H instead of C * H * W": _scaled(lambda _n, c, h, _w: c * h),
    "the matrix is divided by C * C instead of C * H * W": _scaled(lambda _n, c, _h, _w: c * c),
    "the matrix is divided by N * C * H * W instead of C * H * W": _scaled(
        lambda n, c, h, w: n * c * h * w
    ),
    "the matrix is divided by 2 * C * H * W instead of C * H * W": _scaled(
        lambda _n, c, h, w: 2 * c * h * w
    ),
    "features are reshaped to (N, H * W, C), which mixes up positions and channels": (
        lambda x, normalize=True: _gram_of_rows(x) / (x[0].numel() if normalize else 1)
    ),
    "the matrices of all images in the batch are added up": (
        lambda x, normalize=True: (
            (_gram(x) / (x[0].numel() if normalize else 1)).sum(0).expand(len(x), -1, -1)
        )
    ),
    "only the first image of the batch is used": (
        lambda x, normalize=True: (_gram(x) / (x[0].numel() if normalize else 1))[:1].expand(
            len(x), -1, -1
        )
    ),
}


# style_loss


def _distances(feats: Any, layers: Any, targets: Any, *, normalised: bool = True) -> list[Any]:
    return [
        _gram(feats[layer]) / (feats[layer][0].numel() if normalised else 1) - target
        for layer, target in zip(layers, targets, strict=True)
    ]


def _style(combine: Callable[[list[Any], Any], Any], *, normalised: bool = True) -> Wrong:
    """Return a style loss put together from the differences of Gram matrices and the weights."""

    def wrong(feats: Any, layers: Any, targets: Any, weights: Any) -> Any:
        return combine(_distances(feats, layers, targets, normalised=normalised), weights)

    return wrong


def _sum_of(term: Callable[[Any, Any], Any]) -> Callable[[list[Any], Any], Any]:
    return lambda ds, ws: sum(term(d, w) for d, w in zip(ds, ws, strict=True))


STYLE: dict[str, Wrong] = {
    "style_weights are left out": _style(_sum_of(lambda d, _w: (d**2).sum())),
    "only the last layer counts": _style(lambda ds, ws: ws[-1] * (ds[-1] ** 2).sum()),
    "only the first layer counts": _style(lambda ds, ws: ws[0] * (ds[0] ** 2).sum()),
    "the mean is taken instead of the sum": _style(_sum_of(lambda d, w: w * (d**2).mean())),
    "the sum is halved": _style(_sum_of(lambda d, w: w * (d**2).sum() / 2)),
    "the sum is divided by the number of layers": _style(
        lambda ds, ws: sum(w * (d**2).sum() for d, w in zip(ds, ws, strict=True)) / len(ds)
    ),
    "the differences are not squared": _style(_sum_of(lambda d, w: w * d.abs().sum())),
    "the weights are squared as well": _style(_sum_of(lambda d, w: ((w * d) ** 2).sum())),
    "the square root of the sum of squares is taken": _style(_sum_of(lambda d, w: w * d.norm())),
    "the Gram matrices are not normalized": _style(
        _sum_of(lambda d, w: w * (d**2).sum()), normalised=False
    ),
    "the weights are used in reverse order": _style(
        lambda ds, ws: sum(w * (d**2).sum() for d, w in zip(ds, list(ws)[::-1], strict=True))
    ),
    "every layer gets the weight of the first layer": _style(
        lambda ds, ws: sum(ws[0] * (d**2).sum() for d in ds)
    ),
}


# tv_loss


def _down(x: Any) -> Any:
    return x[:, :, 1:] - x[:, :, :-1]


def _right(x: Any) -> Any:
    return x[..., 1:] - x[..., :-1]


def _wrapped(x: Any, w: Any) -> Any:
    return w * (((x - x.roll(1, 2)) ** 2).sum() + ((x - x.roll(1, 3)) ** 2).sum())


def _interior(x: Any, w: Any) -> Any:
    corner = x[:, :, :-1, :-1]
    down, right = x[:, :, 1:, :-1] - corner, x[:, :, :-1, 1:] - corner
    return w * ((down**2).sum() + (right**2).sum())


def _one_difference(x: Any, w: Any) -> Any:
    corner = x[:, :, :-1, :-1]
    return w * ((x[:, :, 1:, :-1] - corner + x[:, :, :-1, 1:] - corner) ** 2).sum()


TV: dict[str, Wrong] = {
    "the differences are not squared": (
        lambda x, w: w * (_down(x).abs().sum() + _right(x).abs().sum())
    ),
    "only horizontal neighbors are compared": lambda x, w: w * (_right(x) ** 2).sum(),
    "only vertical neighbors are compared": lambda x, w: w * (_down(x) ** 2).sum(),
    "the mean is taken over each direction instead of the sum": (
        lambda x, w: w * ((_down(x) ** 2).mean() + (_right(x) ** 2).mean())
    ),
    "the sum is divided by the number of pixels": (
        lambda x, w: w * ((_down(x) ** 2).sum() + (_right(x) ** 2).sum()) / x.numel()
    ),
    "the sum is halved": lambda x, w: w * ((_down(x) ** 2).sum() + (_right(x) ** 2).sum()) / 2,
    "the sum is divided by the batch size N": (
        lambda x, w: w * ((_down(x) ** 2).sum() + (_right(x) ** 2).sum()) / len(x)
    ),
    "tv_weight is left out": lambda x, _w: (_down(x) ** 2).sum() + (_right(x) ** 2).sum(),
    "pixels at opposite borders count as neighbors (torch.roll)": _wrapped,
    "the last row and the last column are left out": _interior,
    "the differences in both directions are added before they are squared": _one_difference,
    "the sums are squared, not the differences": (
        lambda x, w: w * (_down(x).sum() ** 2 + _right(x).sum() ** 2)
    ),
    "only the first image of the batch is used": (
        lambda x, w: w * ((_down(x[:1]) ** 2).sum() + (_right(x[:1]) ** 2).sum())
    ),
}

MISTAKES: dict[str, dict[str, Callable[..., Outputs]]] = {
    name: {
        **{text: _driven(name, wrong) for text, wrong in table.items()},
        NO_GRADIENT: _no_gradient(of),
    }
    for name, table, of in (
        ("content_loss", CONTENT, "content_current"),
        ("gram_matrix", GRAM, "features"),
        ("style_loss", STYLE, "feats"),
        ("tv_loss", TV, "img"),
    )
}
