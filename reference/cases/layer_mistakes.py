"""Further mistakes of ``rnn_layers.py``: activations, slopes, orders of gates, axes, masks.

As in ``rnn_mistakes``, which holds the terms and states that are forgotten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import rnn_layers as right

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]
Gradients = dict[str, Array]
Activation = Callable[[Array], Array]
GATES = "figo"
WEIGHTS = ("Wx", "Wh", "b")


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _identity(x: Array) -> Array:
    return x


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": right.sigmoid, "ReLU": _relu, "tanh": np.tanh, "no activation": _identity,
}  # fmt: skip
USUAL = dict(zip(GATES, ("sigmoid", "sigmoid", "tanh", "sigmoid"), strict=True))


def _rnn_step_with(activation: Activation) -> Callable[..., Array]:
    return lambda **a: activation(a["x"] @ a["Wx"] + a["prev_h"] @ a["Wh"] + a["b"])


def _gates(a: Arguments) -> list[Array]:
    return np.split(a["x"] @ a["Wx"] + a["prev_h"] @ a["Wh"] + a["b"], 4, axis=1)


def _lstm_step_with(
    used: Mapping[str, str], output: Activation = np.tanh
) -> Callable[..., tuple[Array, Array]]:
    """An LSTM step with these activations, by gate, and of the cell state."""

    def wrong(**a: Array) -> tuple[Array, Array]:
        each = zip(GATES, _gates(a), strict=True)
        f, i, g, o = (ACTIVATIONS[used.get(name, USUAL[name])](before) for name, before in each)
        c = f * a["prev_c"] + i * g
        return o * output(c), c

    return wrong


def gate_orders() -> dict[str, Callable[..., Any]]:
    """Return an LSTM step for each order in which the gates can be read but the right one."""

    def in_order(order: tuple[str, ...]) -> Callable[..., Any]:
        def wrong(**a: Array) -> Any:
            taken = [order.index(gate) for gate in GATES]
            weights = {
                name: np.concatenate([np.split(a[name], 4, -1)[i] for i in taken], -1)
                for name in WEIGHTS
            }
            return right.lstm_step_forward(**{**a, **weights})[:2]

        return wrong

    return {
        f"the gates are in the order {', '.join(order)} instead of f, i, g, o": in_order(order)
        for order in itertools.permutations(GATES)
        if order != tuple(GATES)
    }


def step_grads(arguments: Arguments, da: Array) -> Gradients:
    """Return the gradients of a step, given the gradient ``da`` of what its activations read."""
    x, prev_h, Wx, Wh = (arguments[name] for name in ("x", "prev_h", "Wx", "Wh"))
    return {
        "dx": da @ Wx.T,
        "dprev_h": da @ Wh.T,
        "dWx": x.T @ da,
        "dWh": prev_h.T @ da,
        "db": da.sum(axis=0),
    }


def _rnn_slope(slope: Activation) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        next_h, _cache = right.rnn_step_forward(**arguments)
        return step_grads(arguments, cotangents["next_h"] * slope(next_h))

    return wrong


SLOPES: dict[str, Activation] = {
    "s * (1 - s)": lambda s: s * (1 - s),
    "1 - s**2": lambda s: 1 - s**2,
    "1 - tanh(s)**2": lambda s: 1 - np.tanh(s) ** 2,
    "sigmoid(s) * (1 - sigmoid(s))": lambda s: right.sigmoid(s) * (1 - right.sigmoid(s)),
    "none": np.ones_like,
}
USUAL_SLOPES = dict(
    zip(GATES, ("s * (1 - s)", "s * (1 - s)", "1 - s**2", "s * (1 - s)"), strict=True)
)


def _lstm_slopes(used: Mapping[str, str]) -> Callable[[Arguments, Arguments], Gradients]:
    """The gradients of an LSTM step with these slopes, by gate."""

    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        a_f, a_i, a_g, a_o = _gates(arguments)
        f, i, g, o = right.sigmoid(a_f), right.sigmoid(a_i), np.tanh(a_g), right.sigmoid(a_o)
        prev_c = arguments["prev_c"]
        tanh_c = np.tanh(f * prev_c + i * g)
        dh = cotangents["next_h"]
        dc = cotangents["next_c"] + dh * o * (1 - tanh_c**2)
        back = {"f": (dc * prev_c, f), "i": (dc * g, i), "g": (dc * i, g), "o": (dh * tanh_c, o)}
        da = [
            upstream * SLOPES[used.get(gate, USUAL_SLOPES[gate])](value)
            for gate, (upstream, value) in back.items()
        ]
        return {**step_grads(arguments, np.concatenate(da, axis=1)), "dprev_c": dc * f}

    return wrong


def _slope_mistakes() -> dict[str, Callable[..., Gradients]]:
    found = {}
    for gate in GATES:
        usual = USUAL_SLOPES[gate].replace("s", gate)
        found[f"the slope of gate {gate} is missing"] = _lstm_slopes({gate: "none"})
        for slope in SLOPES:
            if slope not in ("none", USUAL_SLOPES[gate]):
                shown = slope.replace("sigmoid", "#").replace("s", gate).replace("#", "sigmoid")
                text = f"{shown} is used instead of {usual}"
                found[text] = _lstm_slopes({gate: slope})
    for slope, words in (("none", "missing"), ("1 - s**2", "1 - s**2 instead of s * (1 - s)")):
        found[f"the slope of all sigmoids is {words}"] = _lstm_slopes(dict.fromkeys("fio", slope))
    return found


def _activation_mistakes() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for gate, usual in USUAL.items():
        for name in ACTIVATIONS:
            if name != usual:
                text = f"gate {gate} has {name} instead of {usual}"
                found[text] = _lstm_step_with({gate: name})
    found["all gates have tanh, not g alone"] = _lstm_step_with(dict.fromkeys(GATES, "tanh"))
    text = "next_h is o * sigmoid(next_c) instead of o * tanh(next_c)"
    found[text] = _lstm_step_with({}, right.sigmoid)
    return found


def _lstm_with_h0_as_cell_state(**a: Array) -> Array:
    h, c, hidden = a["h0"], a["h0"], []
    for x in a["x"]:
        h, c, _cache = right.lstm_step_forward(x, h, c, *(a[name] for name in WEIGHTS))
        hidden.append(h)
    return np.stack(hidden)


def last_cotangent_alone(
    backward: Callable[..., Gradients],
) -> Callable[[Arguments, Arguments], Gradients]:
    """Return the gradients where only dh of the last step is used."""

    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        dh = np.zeros_like(cotangents["h"])
        dh[-1] = cotangents["h"][-1]
        return backward(arguments, {**cotangents, "h": dh})

    return wrong


def _softmax_over(axis: int) -> Callable[..., Any]:
    def wrong(x: Array, y: Array, mask: Array) -> Any:
        p = np.exp(x - x.max(axis=axis, keepdims=True))
        p /= p.sum(axis=axis, keepdims=True)
        n, t = y.shape
        rows, columns = np.ogrid[:n, :t]
        loss = -(np.log(p[rows, columns, y]) * mask).sum() / n
        dx = p.copy()
        dx[rows, columns, y] -= 1
        return {"loss": loss, "dx": dx * mask[:, :, None] / n}

    return wrong


def _softmax_with_mask_inverted(x: Array, y: Array, mask: Array) -> Any:
    loss, dx = right.temporal_softmax_loss(x, y, ~mask)
    return {"loss": loss, "dx": dx}


def _softmax_loss_not_masked(x: Array, y: Array, mask: Array) -> Any:
    loss, _dx = right.temporal_softmax_loss(x, y, np.ones_like(mask))
    return {"loss": loss, "dx": right.temporal_softmax_loss(x, y, mask)[1]}


def _softmax_scaled(*, loss_by: float = 1.0, dx_by: float = 1.0) -> Callable[..., Any]:
    def wrong(x: Array, y: Array, mask: Array) -> Any:
        loss, dx = right.temporal_softmax_loss(x, y, mask)
        return {"loss": loss * loss_by, "dx": dx * dx_by}

    return wrong


def _softmax_without_minus_one(x: Array, y: Array, mask: Array) -> Any:
    loss, _dx = right.temporal_softmax_loss(x, y, mask)
    p = np.exp(x - x.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    return {"loss": loss, "dx": p * mask[:, :, None] / len(x)}


MISTAKES: dict[str, dict[str, Callable[..., Any]]] = {
    "rnn_step_forward": {
        "ReLU is applied instead of tanh": _rnn_step_with(_relu),
        "a sigmoid is applied instead of tanh": _rnn_step_with(right.sigmoid),
    },
    "rnn_step_backward": {
        "1 - tanh(next_h)**2 is used instead of 1 - next_h**2": _rnn_slope(
            SLOPES["1 - tanh(s)**2"]
        ),
        "next_h * (1 - next_h), the slope of a sigmoid, is used instead of 1 - next_h**2": (
            _rnn_slope(SLOPES["s * (1 - s)"])
        ),
    },
    "lstm_step_forward": {**gate_orders(), **_activation_mistakes()},
    "lstm_step_backward": _slope_mistakes(),
    "lstm_forward": {
        "the first step starts from the cell state h0 instead of zeros": (
            _lstm_with_h0_as_cell_state
        ),
    },
    "temporal_softmax_loss": {
        "the softmax runs over time instead of the vocabulary": _softmax_over(1),
        "the softmax runs over the batch instead of the vocabulary": _softmax_over(0),
        "the mask is inverted": _softmax_with_mask_inverted,
        "the loss is not masked": _softmax_loss_not_masked,
        "the minus sign of the loss is missing": _softmax_scaled(loss_by=-1.0),
        "dx has the opposite sign": _softmax_scaled(dx_by=-1.0),
        "1 is not subtracted at the right words in dx": _softmax_without_minus_one,
    },
}
