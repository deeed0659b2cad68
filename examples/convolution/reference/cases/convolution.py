"""Cases for ``convolution.py``, and what typical wrong programs make of them."""

import numpy as np

from .. import convolution as right


def conv_forward(rng, N, C, H, W, F, K, L, stride=1, pad=0):
    """Draw a batch of images with filters; the rubric has the sizes."""
    x, w, b = rng.normal(size=(N, C, H, W)), rng.normal(size=(F, C, K, L)), rng.normal(size=F)
    return {"x": x, "w": w, "b": b, "stride": stride, "pad": pad}


def _without_bias(x, w, b, stride, pad):
    return right.conv_forward(x, w, np.zeros_like(b), stride, pad)[0]


def _flipped(x, w, b, stride, pad):
    return right.conv_forward(x, w[:, :, ::-1, ::-1], b, stride, pad)[0]


def _averaged(x, w, b, stride, pad):
    return right.conv_forward(x, w / w[0].size, b, stride, pad)[0]


def _one_pixel_at_a_time(x, w, b, stride, pad):
    rows, columns = right.conv_forward(x, w, b, stride, pad)[0].shape[2:]
    return right.conv_forward(x, w, b, 1, pad)[0][:, :, :rows, :columns]


def _border_repeated(x, w, b, stride, pad):
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    return right.conv_forward(padded, w, b, stride, 0)[0]


def _backward(a, dout):
    grads = right.conv_backward(dout, (a["x"], a["w"], a["stride"], a["pad"]))
    return dict(zip(("dx", "dw", "db"), grads, strict=True))


def _mean_gradients(arguments, cotangents):
    grads = _backward(arguments, cotangents["out"])
    return {name: grads[name] / len(arguments["x"]) for name in ("dw", "db")}


def _dx_of_flipped_kernel(arguments, cotangents):
    flipped = {**arguments, "w": arguments["w"][:, :, ::-1, ::-1]}
    return {"dx": _backward(flipped, cotangents["out"])["dx"]}


def _last_window_only(arguments, cotangents):
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


MISTAKES = {
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
