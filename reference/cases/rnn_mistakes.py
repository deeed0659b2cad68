"""What typical wrong programs compute, so that a message can name the mistake.

Every function here is wrong on purpose and follows from the right one by the change that its
description in ``MISTAKES`` names. Forward functions take the arguments and return the outputs;
gradient functions take ``(arguments, cotangents)`` and return gradients by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from .. import rnn_layers as right
from . import layer_mistakes
from .layer_mistakes import step_grads

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]
Gradients = dict[str, Array]
WEIGHTS = ("Wx", "Wh", "b")


def _without(name: str, function: Callable[..., Any], outputs: int = 1) -> Callable[..., Any]:
    """The right function with one argument set to zero: a forgotten term."""

    def wrong(**arguments: Any) -> Any:
        result = function(**{**arguments, name: np.zeros_like(arguments[name])})
        return result[:outputs]

    return wrong


def _rnn_step_without_tanh(**a: Array) -> Array:
    return a["x"] @ a["Wx"] + a["prev_h"] @ a["Wh"] + a["b"]


def _rnn_with_h0_at_every_step(**a: Array) -> Array:
    return np.stack([right.rnn_step_forward(x, *_rest(a))[0] for x in a["x"]])


def _last_state_everywhere(forward: Callable[..., Any]) -> Callable[..., Array]:
    """The stack of a list that holds the same array T times."""

    def wrong(**a: Array) -> Array:
        h = forward(**a)[0]
        return np.broadcast_to(h[-1], h.shape)

    return wrong


def _lstm_with_zero_c_at_every_step(**a: Array) -> Array:
    h, hidden = a["h0"], []
    for x in a["x"]:
        h, _c, _cache = right.lstm_step_forward(
            x, h, np.zeros_like(h), *(a[name] for name in WEIGHTS)
        )
        hidden.append(h)
    return np.stack(hidden)


def _rest(a: Mapping[str, Array]) -> tuple[Array, ...]:
    return a["h0"], a["Wx"], a["Wh"], a["b"]


def _tanh_derivative_of(name: str) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        return step_grads(arguments, cotangents["next_h"] * (1 - arguments[name] ** 2))

    return wrong


def _no_tanh_derivative(arguments: Arguments, cotangents: Arguments) -> Gradients:
    return step_grads(arguments, cotangents["next_h"])


def _tanh_not_squared(arguments: Arguments, cotangents: Arguments) -> Gradients:
    next_h, _cache = right.rnn_step_forward(**arguments)
    return step_grads(arguments, cotangents["next_h"] * (1 - next_h))


def _steps(
    cell: str,
    arguments: Arguments,
    cotangents: Arguments,
    *,
    carry_h: bool = True,
    carry_c: bool = True,
    order: int = -1,
) -> list[dict[str, Array]]:
    """Run a cell over a sequence and back; return each step's gradients.

    ``order`` is -1 to go back from the last step to the first, as one should, and 1 for the other
    way round. The result is in the opposite order.
    """
    names = ["dx", "dprev_h", "dWx", "dWh", "db"]
    forward, backward = right.rnn_step_forward, right.rnn_step_backward
    h = arguments["h0"]
    state: tuple[Array, ...] = (h,)
    if cell == "lstm":
        names.insert(2, "dprev_c")
        forward, backward = right.lstm_step_forward, right.lstm_step_backward  # type: ignore[assignment]
        state = (h, np.zeros_like(h))
    caches = []
    for x in arguments["x"]:
        *state, cache = forward(x, *state, *(arguments[w] for w in WEIGHTS))  # type: ignore[assignment]
        caches.append(cache)
    dh, dc = np.zeros_like(h), np.zeros_like(h)
    steps = []
    for dout, cache in zip(cotangents["h"][::order], caches[::order], strict=True):
        upstream = (dout + dh, dc) if cell == "lstm" else (dout + dh,)
        step = dict(zip(names, backward(*upstream, cache), strict=True))
        dh = step["dprev_h"] if carry_h else np.zeros_like(h)
        dc = step.get("dprev_c", dc) if carry_c else np.zeros_like(h)
        steps.append(step)
    return steps[::-1]


def _sequence_grads(steps: list[dict[str, Array]]) -> Gradients:
    sums = {f"d{w}": np.sum([step[f"d{w}"] for step in steps], axis=0) for w in WEIGHTS}
    dx = np.stack([step["dx"] for step in steps])
    return {"dx": dx, "dh0": steps[0]["dprev_h"], **sums}


def _right_sequence_grads(cell: str, arguments: Arguments, cotangents: Arguments) -> Gradients:
    return _sequence_grads(_steps(cell, arguments, cotangents))


def _without_carrying(cell: str, state: str) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        keep = {"carry_h": state != "h", "carry_c": state != "c"}
        return _sequence_grads(_steps(cell, arguments, cotangents, **keep))

    return wrong


def _forward_in_time(cell: str) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        steps = _steps(cell, arguments, cotangents, order=1)
        grads = _sequence_grads(steps)
        return {**grads, "dx": grads["dx"][::-1]}

    return wrong


def _weights_of_step(cell: str, index: int) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        step = _steps(cell, arguments, cotangents)[index]
        return {f"d{w}": step[f"d{w}"] for w in WEIGHTS}

    return wrong


def _averaged_over_time(cell: str) -> Callable[[Arguments, Arguments], Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        grads = _sequence_grads(_steps(cell, arguments, cotangents))
        return {f"d{w}": grads[f"d{w}"] / len(arguments["x"]) for w in WEIGHTS}

    return wrong


def _lstm_step_grads(
    arguments: Arguments, cotangents: Arguments, *, through_tanh: str, carried: bool
) -> Gradients:
    x, prev_h, prev_c, Wx, Wh, b = (
        arguments[name] for name in ("x", "prev_h", "prev_c", "Wx", "Wh", "b")
    )
    a_f, a_i, a_g, a_o = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    f, i, g, o = right.sigmoid(a_f), right.sigmoid(a_i), np.tanh(a_g), right.sigmoid(a_o)
    c = f * prev_c + i * g
    slope = {
        "tanh": 1 - np.tanh(c) ** 2, "c": 1 - c**2, "o": 1 - o**2, "none": 1.0, "cut": 0.0,
    }[through_tanh]  # fmt: skip
    dh = cotangents["next_h"]
    dc = dh * o * slope + (cotangents["next_c"] if carried else 0.0)
    da = np.concatenate(
        [
            dc * prev_c * f * (1 - f),
            dc * g * i * (1 - i),
            dc * i * (1 - g**2),
            dh * np.tanh(c) * o * (1 - o),
        ],
        axis=1,
    )
    return {**step_grads(arguments, da), "dprev_c": dc * f}


def _lstm_step(through_tanh: str, *, carried: bool = True) -> Callable[..., Gradients]:
    def wrong(arguments: Arguments, cotangents: Arguments) -> Gradients:
        return _lstm_step_grads(arguments, cotangents, through_tanh=through_tanh, carried=carried)

    return wrong


def _lstm_h_without_tanh(**a: Array) -> Any:
    _h, c, cache = right.lstm_step_forward(**a)
    o = cache[8]
    return o * c, c


def _softmax_with(
    *, epsilon: float = 0.0, divide: str = "batch", mask_dx: bool = True
) -> Callable[..., Any]:
    def wrong(x: Array, y: Array, mask: Array) -> Any:
        p = np.exp(x - x.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        n, t = y.shape
        rows, columns = np.ogrid[:n, :t]
        count = {"batch": n, "words": mask.sum(), "time": n * t, "nothing": 1}[divide]
        loss = -(np.log(p[rows, columns, y] + epsilon) * mask).sum() / count
        dx = p.copy()
        dx[rows, columns, y] -= 1
        dx = dx / count
        return {"loss": loss, "dx": dx * mask[:, :, None] if mask_dx else dx}

    return wrong


def _softmax_without_mask(x: Array, y: Array, mask: Array) -> Any:
    loss, dx = right.temporal_softmax_loss(x, y, np.ones_like(mask))
    return {"loss": loss, "dx": dx}


def _softmax_without_max(x: Array, y: Array, mask: Array) -> Any:
    p = np.exp(x)
    p = p / p.sum(axis=2, keepdims=True)
    n, t = y.shape
    rows, columns = np.ogrid[:n, :t]
    loss = -(np.log(p[rows, columns, y]) * mask).sum() / n
    p[rows, columns, y] -= 1
    return {"loss": loss, "dx": p * mask[:, :, None] / n}


def _fc_db_over(axis: int) -> Callable[[Arguments, Arguments], Gradients]:
    return lambda _arguments, cotangents: {"db": cotangents["out"].sum(axis=axis)}


def _sequence_mistakes(cell: str) -> dict[str, Callable[..., Any]]:
    return {
        "the weight gradients come from the first time step only, not from the sum over all": (
            _weights_of_step(cell, 0)
        ),
        "the weight gradients come from the last time step only, not from the sum over all": (
            _weights_of_step(cell, -1)
        ),
        "the weight gradients are averaged over time instead of summed": _averaged_over_time(cell),
        "the gradient that comes back from the next time step is not added to dh[t]": (
            _without_carrying(cell, "h")
        ),
        "the loop runs forward in time instead of backward": _forward_in_time(cell),
        "only dh of the last step is used: add dh[t] in every step": (
            layer_mistakes.last_cotangent_alone(partial(_right_sequence_grads, cell))
        ),
    }


_TERMS: dict[str, dict[str, Callable[..., Any]]] = {
    "rnn_step_forward": {
        "the bias b is not added": _without("b", right.rnn_step_forward),
        "the previous hidden state is not used": _without("prev_h", right.rnn_step_forward),
        "the tanh is missing": _rnn_step_without_tanh,
    },
    "rnn_forward": {
        "the bias b is not added": _without("b", right.rnn_forward),
        "every step starts from h0 instead of the previous hidden state": (
            _rnn_with_h0_at_every_step
        ),
        "the first step starts from zeros instead of h0": _without("h0", right.rnn_forward),
        "every time step holds the last hidden state: store a new array for each step": (
            _last_state_everywhere(right.rnn_forward)
        ),
    },
    "rnn_step_backward": {
        "the derivative of tanh uses prev_h instead of next_h": _tanh_derivative_of("prev_h"),
        "the derivative of tanh is missing": _no_tanh_derivative,
        "1 - next_h is used instead of 1 - next_h**2": _tanh_not_squared,
    },
    "rnn_backward": _sequence_mistakes("rnn"),
    "lstm_step_forward": {
        "the bias b is not added": _without("b", right.lstm_step_forward, 2),
        "next_h is computed from next_c without the tanh": _lstm_h_without_tanh,
        "the previous cell state is not used": _without("prev_c", right.lstm_step_forward, 2),
    },
    "lstm_forward": {
        "the bias b is not added": _without("b", right.lstm_forward),
        "the first step starts from zeros instead of h0": _without("h0", right.lstm_forward),
        "every step starts from a zero cell state instead of the previous step's": (
            _lstm_with_zero_c_at_every_step
        ),
        "every time step holds the last hidden state: store a new array for each step": (
            _last_state_everywhere(right.lstm_forward)
        ),
    },
    "lstm_step_backward": {
        "1 - next_c**2 is used instead of 1 - tanh(next_c)**2": _lstm_step("c"),
        "1 - o**2 is used instead of 1 - tanh(next_c)**2": _lstm_step("o"),
        "the derivative of tanh(next_c) is missing": _lstm_step("none"),
        "next_c gets no gradient through next_h = o * tanh(next_c)": _lstm_step("cut"),
        "the incoming dnext_c is not added": _lstm_step("tanh", carried=False),
    },
    "lstm_backward": {
        **_sequence_mistakes("lstm"),
        "the gradient of the cell state is not passed back to the previous step": (
            _without_carrying("lstm", "c")
        ),
    },
    "temporal_fc_forward": {
        "the bias b is not added": _without("b", right.temporal_fc_forward),
    },
    "temporal_fc_backward": {
        "db is summed over the batch only, not over time": _fc_db_over(0),
        "db is summed over time only, not over the batch": _fc_db_over(1),
    },
    "temporal_softmax_loss": {
        "1e-5 is added inside the logarithm": _softmax_with(epsilon=1.0e-5),
        "1e-8 is added inside the logarithm": _softmax_with(epsilon=1.0e-8),
        "the loss is averaged over the unmasked words instead of the batch": (
            _softmax_with(divide="words")
        ),
        "the loss is averaged over batch and time instead of the batch alone": (
            _softmax_with(divide="time")
        ),
        "the loss is not divided by the batch size": _softmax_with(divide="nothing"),
        "dx is not masked": _softmax_with(mask_dx=False),
        "the mask is ignored": _softmax_without_mask,
        "the largest score is not subtracted before exp": _softmax_without_max,
    },
}
MISTAKES = {
    function: {**known, **layer_mistakes.MISTAKES.get(function, {})}
    for function, known in _TERMS.items()
}
