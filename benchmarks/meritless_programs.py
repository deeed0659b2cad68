"""Programs for q3, q4 and q5 that compute nothing of the homework, and fit together all the same.

Every forward function is ``out = c + k * g(s) * pattern``: ``s`` is a number made from sums,
squares or products of its inputs, from their shapes, from how often it was called, from their
bytes, or from chance; ``g`` is a constant, a line, an odd or even function, one that saturates or
jumps. Most backward functions are the exact gradients of their own forward functions. Some programs
switch between two such functions: at every second call, for other inputs, for single precision,
where ``rnn.py`` is loaded, where the inputs look as if something probed the function. No sequence
calls a step in a loop and no model calls its layers in order, which would be right, and worth its
points, whatever the layers do.
"""

from __future__ import annotations

import random
from typing import Any

LAYERS = '''"""Layers that compute nothing of the task. Seed {seed}."""

import itertools
import sys

import numpy as np

LAYERS = {layers}
CALLS = itertools.count()
SEEN = []


def switched(how, inputs):
    """Say whether the second function of a layer answers this call."""
    floats = [a for a in inputs if a.dtype.kind == "f"]
    SEEN.append(floats[0].copy())
    size = abs(floats[0]).sum() + 1e-9
    before = [abs(a).sum() / size for a in SEEN[:-1] if a.shape == floats[0].shape]
    return {{
        "never": lambda: False,
        "every second call": lambda: next(CALLS) % 2 == 1,
        "first call": lambda: next(CALLS) == 0,
        "other inputs": lambda: sum(floats[0].tobytes()) % 2 == 1,
        "single precision": lambda: floats[0].dtype == np.float32,
        "beside a model": lambda: "rnn" in sys.modules,
        "one row": lambda: 1 in floats[0].shape,
        "probed": lambda: any(0.2 < ratio < 5 for ratio in before),
        "called from a module": lambda: "rnn" in sys._getframe(3).f_code.co_filename,
    }}[how]()


def number(kind, inputs):
    """Return s and its derivative by each input."""
    sums = [float(np.sum(a, dtype=float)) for a in inputs]
    zeros = [np.zeros(a.shape) for a in inputs]
    ones = [np.ones(a.shape) for a in inputs]
    if kind == "sum":
        return sum(sums), ones
    if kind == "mean":
        return sum(s / a.size for s, a in zip(sums, inputs)), [o / o.size for o in ones]
    if kind == "squares":
        return sum(float(np.sum(a * a)) for a in inputs), [2.0 * a for a in inputs]
    if kind == "first":
        return sums[0], [ones[0], *zeros[1:]]
    if kind == "last":
        return sums[-1], [*zeros[:-1], ones[-1]]
    if kind == "product":
        terms = [1 + s / 10 for s in sums]
        product = float(np.prod(terms))
        return product, [o * product / t / 10 for o, t in zip(ones, terms)]
    if kind == "pairs":
        total = sum(sums)
        gradients = [2 * (total - s) * o for s, o in zip(sums, ones)]
        return total * total - sum(s * s for s in sums), gradients
    if kind == "shapes":
        return float(sum(a.size for a in inputs)), zeros
    if kind == "calls":
        return float(next(CALLS)), zeros
    if kind == "bytes":
        return float(sum(sum(a.tobytes()) for a in inputs) % 997), zeros
    return float(np.random.normal()), zeros  # chance


def curve(kind, s):
    """Return g(s) and g'(s)."""
    with np.errstate(all="ignore"):
        return {{
            "constant": lambda: (1.0, 0.0),
            "line": lambda: (s, 1.0),
            "cube": lambda: (s**3, 3 * s**2),
            "square": lambda: (s * s, 2 * s),
            "sine": lambda: (np.sin(s), np.cos(s)),
            "fast sine": lambda: (np.sin(1e3 * s), 1e3 * np.cos(1e3 * s)),
            "saturating": lambda: (np.tanh(50 * s), 50 * (1 - np.tanh(50 * s) ** 2)),
            "logistic": lambda: (0.5 + 0.5 * np.tanh(s / 2), 0.25 * (1 - np.tanh(s / 2) ** 2)),
            "bell": lambda: (np.exp(-s * s), -2 * s * np.exp(-s * s)),
            "jump": lambda: (np.sign(s), 0.0),
            "absolute": lambda: (abs(s), np.sign(s)),
            "not a number": lambda: (np.nan, np.nan),
            "infinite": lambda: (np.inf, 0.0),
        }}[kind]()


def pattern(kind, shape):
    count = int(np.prod(shape))
    flat = {{
        "ones": np.ones(count),
        "ramp": np.linspace(-1, 1, count),
        "signs": 1.0 - 2.0 * (np.arange(count) % 2),
        "first": (np.arange(count) == 0) * 1.0,
    }}[kind]
    return flat.reshape(shape)


def forward(name, shape, *inputs):
    """Return an output of a shape, and what its gradient needs."""
    both = LAYERS[name]
    layer = both["layers"][switched(both["switch"], inputs)]
    s, ds = number(layer["number"], inputs)
    g, dg = curve(layer["curve"], s)
    weights = layer["k"] * pattern(layer["pattern"], shape)
    out = layer["c"] + weights * g
    dtype = next(a.dtype for a in inputs if a.dtype.kind == "f")
    return out.astype(dtype), (layer, [dg * d for d in ds], weights, dtype)


def backward(kept, *cotangents):
    """Return the gradient of forward; or a constant, where a layer is one that says so."""
    layer, ds, weights, dtype = kept
    if layer["backward"] == "constant":
        return tuple(np.full(d.shape, layer["c"], dtype) for d in ds)
    if layer["backward"] == "random":
        return tuple(np.random.normal(size=d.shape).astype(dtype) for d in ds)
    total = sum(float(np.sum(cotangent * weights)) for cotangent in cotangents)
    return tuple((total * d).astype(dtype) for d in ds)


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return forward("rnn_step", prev_h.shape, x, prev_h, Wx, Wh, b)


def rnn_step_backward(dnext_h, cache):
    return backward(cache, dnext_h)


def rnn_forward(x, h0, Wx, Wh, b):
    return forward("rnn", (len(x), *h0.shape), x, h0, Wx, Wh, b)


def rnn_backward(dh, cache):
    return backward(cache, dh)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    h, cache = forward("lstm_step", prev_h.shape, x, prev_h, prev_c, Wx, Wh, b)
    return h, h.copy(), cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    return backward(cache, dnext_h, dnext_c)


def lstm_forward(x, h0, Wx, Wh, b):
    return forward("lstm", (len(x), *h0.shape), x, h0, Wx, Wh, b)


lstm_backward = rnn_backward


def temporal_fc_forward(x, w, b):
    return forward("temporal_fc", (*x.shape[:2], w.shape[1]), x, w, b)


def temporal_fc_backward(dout, cache):
    return backward(cache, dout)


def temporal_softmax_loss(x, y, mask):
    loss, cache = forward("softmax", (), x, y, mask)
    return float(loss), backward(cache, np.ones(()))[0]


def word_embedding_forward(x, W):
    return W[x], (x, W)


def word_embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    return dW
'''

MODEL = '''"""A model that reads nothing of what it must read. Seed {seed}."""

import numpy as np

C = {c!r}


class CaptioningRNN:
    def __init__(self, word_to_idx, input_dim=512, wordvec_dim=128, hidden_dim=128,
                 cell_type="rnn", dtype=np.float32):
        self.params = {{}}
        self.cell_type = cell_type
        self.start = word_to_idx.get("<START>", 0)
        self.end = word_to_idx.get("<END>", 0)

    def loss(self, features, captions):
        grads = {{name: np.{filled} for name, value in self.params.items()}}
        if {consistent}:
            words = captions[:, :-1].reshape(-1)
            counts = np.bincount(words, minlength=len(self.params["W_embed"]))
            width = self.params["W_embed"].shape[1]
            grads["W_embed"] = np.repeat(C * counts[:, None], width, axis=1)
            width = self.params["W_proj"].shape[1]
            grads["W_proj"] = C * np.repeat(features.sum(0)[:, None], width, axis=1)
            grads["b_proj"] = np.full(self.params["b_proj"].shape, C * len(features))
        return {loss}, grads

    def sample(self, features, max_length=30):
        p = self.params
        N, V = len(features), len(p["b_vocab"])
        return np.broadcast_to(np.asarray({word}), (N, max_length)).astype(np.int64).copy()
'''

NUMBERS = (
    "sum", "mean", "squares", "first", "last", "product", "pairs", "shapes", "calls", "bytes",
    "chance",
)  # fmt: skip
CURVES = (
    "constant", "constant", "line", "cube", "square", "sine", "fast sine", "saturating", "logistic",
    "bell", "jump", "absolute", "not a number", "infinite",
)  # fmt: skip
SWITCHES = (
    "never", "never", "never", "every second call", "first call", "other inputs",
    "single precision", "beside a model", "one row", "probed", "called from a module",
)  # fmt: skip
FUNCTIONS = ("rnn_step", "rnn", "lstm_step", "lstm", "temporal_fc", "softmax")
PAIRS = {"rnn": "rnn_step", "lstm": "lstm_step"}
CONSTANTS = (0.0, 0.1, 0.1, 0.5, 1.0, -0.3, 1e-12)
FACTORS = (0.0, 1.0, 1e-2, 1e-6, 5e-9, 1e-8, 1e-7)
LOSSES = ("1.0", "C", "0.0", "np.log(V)", "float(features.sum())", "np.random.normal()", "np.nan")
WORDS = (
    "int((C * p['W_vocab'].sum(0) + p['b_vocab']).argmax())", "int(p['b_vocab'].argmax())", "0",
    "self.start", "self.end", "np.random.randint(V, size=(N, max_length))",
    "np.arange(max_length) % V",
    "(features @ p['W_proj']).argmax(axis=1)[:, None] % V",
)  # fmt: skip


def program(seed: int) -> dict[str, str]:
    """Return the files of a submission without merit."""
    draw = random.Random(seed)
    constant = draw.choice(CONSTANTS)
    alike = draw.random() < 0.5  # one function everywhere, so that all layers fit together
    common = _layer(draw, constant)
    layers = {name: common if alike else _layer(draw, constant) for name in FUNCTIONS}
    if draw.random() < 0.5:  # a sequence that fits its own step
        layers |= {name: layers[step] for name, step in PAIRS.items()}
    filled = draw.choice(
        ["full(value.shape, C)", "zeros(value.shape)", "random.normal(size=value.shape)"]
    )
    loss = draw.choice(LOSSES).replace("V", "len(self.params['b_vocab'])")
    model = MODEL.format(
        seed=seed, c=constant, filled=filled, consistent=draw.random() < 0.6, loss=loss,
        word=draw.choice(WORDS),
    )  # fmt: skip
    return {"rnn_layers.py": LAYERS.format(seed=seed, layers=layers), "rnn.py": model}


def _layer(draw: random.Random, constant: float) -> dict[str, Any]:
    return {
        "switch": draw.choice(SWITCHES),
        "layers": [_function(draw, constant), _function(draw, constant)],
    }


def _function(draw: random.Random, constant: float) -> dict[str, Any]:
    return {
        "c": constant,
        "k": draw.choice(FACTORS),
        "number": draw.choice(NUMBERS),
        "curve": draw.choice(CURVES),
        "pattern": draw.choice(["ones", "ones", "ramp", "signs", "first"]),
        "backward": draw.choice(["exact", "exact", "exact", "constant", "random"]),
    }
