"""Cases for ``convolution.py``: all sizes differ, so that every transposition shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.author import Case

from .. import convolution as right

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]


def _layer(
    rng: np.random.Generator,
    x: tuple[int, ...],
    w: tuple[int, ...],
    stride: int,
    pad: int,
) -> dict[str, Any]:
    """Return the arguments of ``conv_forward`` for images and filters of these shapes."""
    drawn = {"x": rng.normal(size=x), "w": rng.normal(size=w), "b": rng.normal(size=w[0])}
    return {**drawn, "stride": stride, "pad": pad}


def conv_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield batches of images with filters."""
    yield Case("N=2 C=3 H=5 W=7", _layer(rng, (2, 3, 5, 7), (4, 3, 3, 2), 1, 0))
    yield Case("N=3 C=2 H=6 W=4", _layer(rng, (3, 2, 6, 4), (5, 2, 2, 3), 1, 0))
    yield Case("stride 2", _layer(rng, (2, 3, 7, 9), (4, 3, 3, 3), 2, 0), "stride")
    yield Case("stride 3", _layer(rng, (2, 2, 8, 11), (3, 2, 2, 2), 3, 0), "stride")
    yield Case("pad 1", _layer(rng, (2, 3, 5, 4), (4, 3, 3, 3), 1, 1), "padding")
    yield Case("pad 2", _layer(rng, (3, 2, 4, 6), (2, 2, 3, 5), 1, 2), "padding")
    yield Case("stride 2, pad 1", _layer(rng, (1, 2, 7, 5), (3, 2, 3, 3), 2, 1), "edge_cases")
    yield Case("one window", _layer(rng, (2, 3, 3, 2), (4, 3, 3, 2), 1, 0), "edge_cases")


def _without_bias(x: Array, w: Array, b: Array, stride: int, pad: int) -> Array:
    return right.conv_forward(x, w, np.zeros_like(b), stride, pad)[0]


def _flipped(x: Array, w: Array, b: Array, stride: int, pad: int) -> Array:
    return right.conv_forward(x, w[:, :, ::-1, ::-1], b, stride, pad)[0]


def _averaged(x: Array, w: Array, b: Array, stride: int, pad: int) -> Array:
    return right.conv_forward(x, w / w[0].size, b, stride, pad)[0]


def _one_pixel_at_a_time(x: Array, w: Array, b: Array, stride: int, pad: int) -> Array:
    rows, columns = right.conv_forward(x, w, b, stride, pad)[0].shape[2:]
    return right.conv_forward(x, w, b, 1, pad)[0][:, :, :rows, :columns]


def _border_repeated(x: Array, w: Array, b: Array, stride: int, pad: int) -> Array:
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    return right.conv_forward(padded, w, b, stride, 0)[0]


def _backward(a: Arguments, dout: Array) -> dict[str, Array]:
    grads = right.conv_backward(dout, (a["x"], a["w"], a["stride"], a["pad"]))
    return dict(zip(("dx", "dw", "db"), grads, strict=True))


def _mean_gradients(arguments: Arguments, cotangents: Arguments) -> dict[str, Array]:
    grads = _backward(arguments, cotangents["out"])
    return {name: grads[name] / len(arguments["x"]) for name in ("dw", "db")}


def _dx_of_flipped_kernel(arguments: Arguments, cotangents: Arguments) -> dict[str, Array]:
    flipped = {**arguments, "w": arguments["w"][:, :, ::-1, ::-1]}
    return {"dx": _backward(flipped, cotangents["out"])["dx"]}


def _last_window_only(arguments: Arguments, cotangents: Arguments) -> dict[str, Array]:
    """The gradient of each pixel comes from the last window that holds it."""
    w, stride, pad = (arguments[name] for name in ("w", "stride", "pad"))
    rows, columns = w.shape[2:]
    dpadded = np.pad(np.zeros_like(arguments["x"]), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    for i, j in np.ndindex(cotangents["out"].shape[2:]):
        top, left = i * stride, j * stride
        dpadded[:, :, top : top + rows, left : left + columns] = np.einsum(
            "nf,fckl->nckl", cotangents["out"][:, :, i, j], w
        )
    height, width = arguments["x"].shape[2:]
    return {"dx": dpadded[:, :, pad : pad + height, pad : pad + width]}


MISTAKES: dict[str, dict[str, Callable[..., Any]]] = {
    "conv_forward": {
        "the bias b is not added": _without_bias,
        "the kernel is flipped, as in a mathematical convolution": _flipped,
        "the products are averaged over the window instead of summed": _averaged,
        "the window moves by one pixel instead of stride pixels": _one_pixel_at_a_time,
        "the border is repeated instead of padded with zeros": _border_repeated,
    },
    "conv_backward": {
        "the gradient is averaged over the batch instead of summed": _mean_gradients,
        "dx is computed with the kernel flipped": _dx_of_flipped_kernel,
        "overlapping windows overwrite each other in dx instead of adding up": _last_window_only,
    },
}
