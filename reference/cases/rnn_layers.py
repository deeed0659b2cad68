"""Cases for ``rnn_layers.py``: all sizes differ, so that every transposition shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.author import Case

from .. import rnn_layers as right
from . import rnn_mistakes

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]
Gradients = dict[str, Array]

EDGE = "edge_cases"
STABLE = "stability"
GATES = {"rnn": 1, "lstm": 4}


def _weights(rng: np.random.Generator, d: int, h: int, gates: int) -> dict[str, Array]:
    """Weights small enough that no tanh is saturated: a saturated one has no gradient to check."""
    return {
        "Wx": rng.normal(size=(d, gates * h)) / np.sqrt(d),
        "Wh": rng.normal(size=(h, gates * h)) / np.sqrt(h),
        "b": rng.normal(size=gates * h) * 0.5,
    }


def _step(rng: np.random.Generator, n: int, d: int, h: int, *, cell: str) -> dict[str, Array]:
    state = {"x": rng.normal(size=(n, d)), "prev_h": np.tanh(rng.normal(size=(n, h)))}
    if cell == "lstm":
        state["prev_c"] = rng.normal(size=(n, h))
    return {**state, **_weights(rng, d, h, GATES[cell])}


def _sequence(
    rng: np.random.Generator, t: int, n: int, d: int, h: int, *, cell: str
) -> dict[str, Array]:
    state = {"x": rng.normal(size=(t, n, d)), "h0": np.tanh(rng.normal(size=(n, h)))}
    return {**state, **_weights(rng, d, h, GATES[cell])}


def _single(arguments: Arguments) -> dict[str, Any]:
    return {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in arguments.items()
    }


def _large(arguments: Arguments) -> dict[str, Any]:
    """Inputs of large magnitude, which saturate: a stable sigmoid and tanh stay finite."""
    return {**arguments, "x": arguments["x"] * 300.0}


def _step_cases(rng: np.random.Generator, cell: str) -> Iterator[Case]:
    yield Case("N=3 D=4 H=5", _step(rng, 3, 4, 5, cell=cell))
    yield Case("N=4 D=7 H=2", _step(rng, 4, 7, 2, cell=cell))
    yield Case("N=1", _step(rng, 1, 3, 4, cell=cell), EDGE)
    yield Case("large inputs", _large(_step(rng, 2, 3, 4, cell=cell)), EDGE)
    yield Case("float32", _single(_step(rng, 3, 5, 4, cell=cell)), EDGE)


def _sequence_cases(rng: np.random.Generator, cell: str) -> Iterator[Case]:
    yield Case("T=4 N=2 D=3 H=5", _sequence(rng, 4, 2, 3, 5, cell=cell))
    yield Case("T=2 N=5 D=4 H=3", _sequence(rng, 2, 5, 4, 3, cell=cell))
    yield Case("T=1", _sequence(rng, 1, 3, 4, 2, cell=cell), EDGE)
    yield Case("N=1", _sequence(rng, 3, 1, 2, 4, cell=cell), EDGE)
    yield Case("T=30", _sequence(rng, 30, 2, 4, 3, cell=cell), EDGE)
    yield Case("float32", _single(_sequence(rng, 3, 2, 5, 4, cell=cell)), EDGE)


def rnn_step_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield single steps of a vanilla RNN."""
    yield from _step_cases(rng, "rnn")


def rnn_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield sequences for a vanilla RNN."""
    yield from _sequence_cases(rng, "rnn")


def lstm_step_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield single steps of an LSTM."""
    yield from _step_cases(rng, "lstm")


def lstm_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield sequences for an LSTM."""
    yield from _sequence_cases(rng, "lstm")


def temporal_fc_forward(rng: np.random.Generator) -> Iterator[Case]:
    """Yield batches of sequences for the fully connected layer."""

    def layer(n: int, t: int, d: int, m: int) -> dict[str, Array]:
        shapes = {"x": (n, t, d), "w": (d, m), "b": (m,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}

    yield Case("N=2 T=3 D=4 M=5", layer(2, 3, 4, 5))
    yield Case("N=4 T=2 D=3 M=7", layer(4, 2, 3, 7))
    yield Case("N=1", layer(1, 3, 2, 4), EDGE)
    yield Case("T=1", layer(3, 1, 4, 2), EDGE)
    yield Case("float32", _single(layer(2, 3, 5, 4)), EDGE)


def temporal_softmax_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield scores, words and masks; scores spread enough that an epsilon in a log shows."""

    def scores(n: int, t: int, v: int, *, spread: float = 3.0) -> dict[str, Array]:
        mask = rng.random((n, t)) < 0.7
        mask[0, 0], mask[-1, -1] = True, n * t == 1  # neither all nor nothing
        if mask.sum() == n and t > 1:
            # The mean over the batch and over the mask would be the same here.
            mask[0, :] = ~mask[0, :]
        return {
            "x": rng.normal(size=(n, t, v)) * spread,
            "y": rng.integers(v, size=(n, t)),
            "mask": mask,
        }

    yield Case("N=3 T=4 V=6", scores(3, 4, 6))
    yield Case("N=2 T=5 V=4", scores(2, 5, 4))
    yield Case("N=1 T=1", scores(1, 1, 5), EDGE)
    repeated = scores(3, 4, 5)
    repeated["y"][:] = repeated["y"][0, 0]
    yield Case("one repeated word", repeated, EDGE)
    yield Case("a sequence with an empty mask", _without_first(scores(3, 3, 4)), EDGE)
    yield Case("float32", _single(scores(2, 3, 5)), EDGE)
    for name, offset in (("scores around 1000", 1000.0), ("scores around -1000", -1000.0)):
        far = scores(2, 3, 4)
        far["x"] += offset
        yield Case(name, far, STABLE)
    # Probabilities of 1e-20 and less: a constant inside the logarithm, or a clip, shows.
    yield Case("scores far apart", scores(2, 3, 4, spread=40.0), STABLE)


def _without_first(arguments: dict[str, Array]) -> dict[str, Array]:
    arguments["mask"][0] = False
    arguments["mask"][1] = True
    return arguments


Call = Callable[[str, Arguments, list[str], list[str]], dict[str, Any]]


def _states(cell: str) -> list[str]:
    return ["next_h", "next_c"] if cell == "lstm" else ["next_h"]


def _run_steps(call: Call, arguments: Arguments, cell: str) -> tuple[list[Array], list[Any]]:
    """Iterate the student's own step over a sequence; return the hidden states and the caches."""
    x, h = arguments["x"], arguments["h0"]
    c = np.zeros_like(h)
    hidden, caches = [], []
    for x_t in x:
        inputs = {"x": x_t, "prev_h": h}
        if cell == "lstm":
            inputs["prev_c"] = c
        inputs |= {name: arguments[name] for name in ("Wx", "Wh", "b")}
        outputs = call(f"{cell}_step_forward", inputs, [*_states(cell), "cache"], ["cache"])
        h, c = outputs["next_h"], outputs.get("next_c", c)
        hidden.append(h)
        caches.append(outputs["cache"])
    return hidden, caches


def _forward_from_steps(cell: str) -> Callable[..., Array]:
    def composed(call: Call, arguments: Arguments, _cotangents: Arguments) -> Array:
        return np.stack(_run_steps(call, arguments, cell)[0])

    return composed


def _backward_from_steps(cell: str) -> Callable[..., Gradients]:
    def composed(call: Call, arguments: Arguments, cotangents: Arguments) -> Gradients:
        _hidden, caches = _run_steps(call, arguments, cell)
        dh = cotangents["h"]
        states = ["prev_h", "prev_c"] if cell == "lstm" else ["prev_h"]
        names = ["dx", *(f"d{state}" for state in states), "dWx", "dWh", "db"]
        carried = {state: np.zeros_like(arguments["h0"]) for state in states}
        dx = np.zeros_like(arguments["x"])
        sums = {f"d{name}": np.zeros_like(arguments[name]) for name in ("Wx", "Wh", "b")}
        for t in reversed(range(len(caches))):
            upstream = {"dnext_h": dh[t] + carried["prev_h"]}
            if cell == "lstm":
                upstream["dnext_c"] = carried["prev_c"]
            step = call(f"{cell}_step_backward", {**upstream, "cache": caches[t]}, names, [])
            dx[t] = step["dx"]
            carried = {state: step[f"d{state}"] for state in states}
            sums = {name: value + step[name] for name, value in sums.items()}
        return {"dx": dx, "dh0": carried["prev_h"], **sums}

    return composed


COMPOSITIONS = {
    "rnn_forward": _forward_from_steps("rnn"),
    "rnn_backward": _backward_from_steps("rnn"),
    "lstm_forward": _forward_from_steps("lstm"),
    "lstm_backward": _backward_from_steps("lstm"),
}


def _rnn_step_at(arguments: Arguments, outputs: Arguments, cotangents: Arguments) -> Gradients:
    """The gradients of a step whose hidden state is the student's own, right or wrong."""
    cache = (*(arguments[name] for name in ("x", "prev_h", "Wx", "Wh")), outputs["next_h"])
    names = ("dx", "dprev_h", "dWx", "dWh", "db")
    return dict(zip(names, right.rnn_step_backward(cotangents["next_h"], cache), strict=True))


def _rnn_at(arguments: Arguments, outputs: Arguments, cotangents: Arguments) -> Gradients:
    """The same for a sequence: backpropagation through the student's own hidden states."""
    h = outputs["h"]
    before = [arguments["h0"], *h[:-1]]
    cache = [
        (x, prev_h, arguments["Wx"], arguments["Wh"], next_h)
        for x, prev_h, next_h in zip(arguments["x"], before, h, strict=True)
    ]
    names = ("dx", "dh0", "dWx", "dWh", "db")
    return dict(zip(names, right.rnn_backward(cotangents["h"], cache), strict=True))


def _lstm_without_bias(cell: str, names: tuple[str, ...]) -> Callable[..., Gradients | None]:
    """The gradients of an LSTM whose bias was forgotten, if that is what the outputs show.

    The gates, unlike the hidden states, cannot be read off the outputs; a forgotten bias can.
    """
    forward = getattr(right, f"{cell}_forward")
    backward = getattr(right, f"{cell}_backward")

    def at(arguments: Arguments, outputs: Arguments, cotangents: Arguments) -> Gradients | None:
        found = forward(**{**arguments, "b": np.zeros_like(arguments["b"])})
        if not all(
            np.allclose(mine, theirs, rtol=1e-5, atol=1e-7)
            for mine, theirs in zip(found[:-1], outputs.values(), strict=True)
        ):
            return None
        return dict(zip(names, backward(*cotangents.values(), found[-1]), strict=True))

    return at


def _lstm_with_new_cell_states(
    arguments: Arguments, outputs: Arguments, cotangents: Arguments
) -> Gradients | None:
    """The gradients of an LSTM whose steps all start from a cell state of zeros, if it is one."""
    h, zero = arguments["h0"], np.zeros_like(arguments["h0"])
    weights = [arguments[name] for name in ("Wx", "Wh", "b")]
    hidden, cache = [], []
    for x in arguments["x"]:
        h, _c, step_cache = right.lstm_step_forward(x, h, zero, *weights)
        hidden.append(h)
        cache.append(step_cache)
    if not np.allclose(np.stack(hidden), outputs["h"], rtol=1e-5, atol=1e-7):
        return None
    names = ("dx", "dh0", "dWx", "dWh", "db")
    return dict(zip(names, right.lstm_backward(cotangents["h"], cache), strict=True))


def _first_of(*ways: Callable[..., Gradients | None]) -> Callable[..., Gradients | None]:
    """The gradients of the first forward that the outputs show."""

    def at(arguments: Arguments, outputs: Arguments, cotangents: Arguments) -> Gradients | None:
        found = (way(arguments, outputs, cotangents) for way in ways)
        return next((gradients for gradients in found if gradients is not None), None)

    return at


GIVEN_OUTPUTS = {
    "rnn_step_backward": _rnn_step_at,
    "rnn_backward": _rnn_at,
    "lstm_step_backward": _lstm_without_bias(
        "lstm_step", ("dx", "dprev_h", "dprev_c", "dWx", "dWh", "db")
    ),
    "lstm_backward": _first_of(
        _lstm_without_bias("lstm", ("dx", "dh0", "dWx", "dWh", "db")), _lstm_with_new_cell_states
    ),
}

MISTAKES = rnn_mistakes.MISTAKES
