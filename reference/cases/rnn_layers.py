"""Cases for ``rnn_layers.py``: all sizes differ, so that every transposition shows.

The last case repeats the sizes of the first one with other values: outputs that were remembered by
shape are wrong there.
"""

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
    yield Case("N=7 D=4 H=2", _step(rng, 7, 4, 2, cell=cell))
    yield Case("N=1", _step(rng, 1, 3, 4, cell=cell), EDGE)
    yield Case("large inputs", _large(_step(rng, 2, 3, 4, cell=cell)), EDGE)
    yield Case("float32", _single(_step(rng, 3, 4, 5, cell=cell)), EDGE)
    yield Case("N=3 D=4 H=5 again", _step(rng, 3, 4, 5, cell=cell))


def _sequence_cases(rng: np.random.Generator, cell: str) -> Iterator[Case]:
    yield Case("T=4 N=2 D=3 H=5", _sequence(rng, 4, 2, 3, 5, cell=cell))
    yield Case("T=2 N=5 D=4 H=3", _sequence(rng, 2, 5, 4, 3, cell=cell))
    yield Case("T=1", _sequence(rng, 1, 3, 4, 2, cell=cell), EDGE)
    yield Case("N=1", _sequence(rng, 3, 1, 2, 4, cell=cell), EDGE)
    yield Case("T=30", _sequence(rng, 30, 2, 4, 3, cell=cell), EDGE)
    # One number in each sum: else terms of opposite sign can leave nothing but what rounding adds.
    yield Case("T=1 N=1 H=1", _sequence(rng, 1, 1, 3, 1, cell=cell), EDGE)
    yield Case("float32", _single(_sequence(rng, 4, 2, 3, 5, cell=cell)), EDGE)
    yield Case("T=4 N=2 D=3 H=5 again", _sequence(rng, 4, 2, 3, 5, cell=cell))


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
    yield Case("float32", _single(layer(2, 3, 4, 5)), EDGE)
    yield Case("N=2 T=3 D=4 M=5 again", layer(2, 3, 4, 5))


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
    yield Case("float32", _single(scores(3, 4, 6)), EDGE)
    for name, offset in (("scores around 1000", 1000.0), ("scores around -1000", -1000.0)):
        far = scores(2, 3, 4)
        far["x"] += offset
        yield Case(name, far, STABLE)
    # Probabilities of 1e-20 and less: a constant inside the logarithm, or a clip, shows.
    yield Case("scores far apart", scores(2, 3, 4, spread=40.0), STABLE)
    yield Case("N=3 T=4 V=6 again", scores(3, 4, 6))


def _without_first(arguments: dict[str, Array]) -> dict[str, Array]:
    arguments["mask"][0] = False
    arguments["mask"][1] = True
    return arguments


Call = Callable[[str, Arguments, list[str], list[str]], dict[str, Any]]


def _caches_of_steps(cell: str) -> Callable[..., list[Any]]:
    """A sequence's cache: those of its steps, which the student's step makes at right states."""

    def made(call: Call, arguments: Arguments, forward: Arguments) -> list[Any]:
        weights = {name: arguments[name] for name in ("Wx", "Wh", "b")}
        before = [arguments["h0"], *forward["h"][:-1]]
        c = np.zeros_like(arguments["h0"])
        caches = []
        for x, prev_h in zip(arguments["x"], before, strict=True):
            inputs = {"x": x, "prev_h": prev_h}
            returns = ["next_h", "cache"]
            if cell == "lstm":
                inputs["prev_c"] = c
                returns.insert(1, "next_c")
                c = right.lstm_step_forward(x, prev_h, c, **weights)[1]
            caches.append(call(f"{cell}_step_forward", {**inputs, **weights}, returns, ["cache"]))
        return [outputs["cache"] for outputs in caches]

    return made


CACHES = {
    "rnn_backward": _caches_of_steps("rnn"),
    "lstm_backward": _caches_of_steps("lstm"),
}


def _rnn_step_intermediates(
    x: Array, prev_h: Array, Wx: Array, Wh: Array, b: Array
) -> dict[str, Array]:
    """What a step computes, by the names that students use."""
    a = x @ Wx + prev_h @ Wh + b
    h = np.tanh(a)
    return {
        **_named("a act activation arg pre pre_act preact s z", a),
        **_named("h h_next h_t next_h out tanh tanh_a th", h),
        **_named("prev_h h_prev h0 hprev", prev_h),
    }


def _lstm_step_intermediates(
    x: Array, prev_h: Array, prev_c: Array, Wx: Array, Wh: Array, b: Array
) -> dict[str, Array]:
    """The same for an LSTM, whose gates are forget, input, candidate and output."""
    a = x @ Wx + prev_h @ Wh + b
    a_f, a_i, a_g, a_o = np.split(a, 4, axis=1)
    f, i, g, o = right.sigmoid(a_f), right.sigmoid(a_i), np.tanh(a_g), right.sigmoid(a_o)
    c = f * prev_c + i * g
    tanh_c = np.tanh(c)
    return {
        **_named("a act activation pre pre_act preact s z", a),
        **_named("a_f af ai_f pre_f z_f zf", a_f),
        **_named("a_i ai pre_i z_i zi", a_i),
        **_named("a_c a_g ag pre_g z_g zg", a_g),
        **_named("a_o ao pre_o z_o zo", a_o),
        **_named("f f_gate f_t forget forget_gate ft gate_f", f),
        **_named("i i_gate i_t in_gate input_gate it gate_i", i),
        **_named("c_bar c_hat c_tilde cand candidate g g_gate g_t gate_g gt", g),
        **_named("gate_o o o_gate o_t ot out_gate output_gate", o),
        **_named("c c_next c_t next_c", c),
        **_named("tanh_c tanh_c_next tanh_c_t tanh_next_c tanhc tc", tanh_c),
        **_named("h h_next h_t next_h", o * tanh_c),
        **_named("gates", np.concatenate([f, i, g, o], axis=1)),
        **_named("h_prev hprev prev_h", prev_h),
        **_named("c_prev cprev prev_c", prev_c),
    }


def _named(names: str, value: Array) -> dict[str, Array]:
    return dict.fromkeys(names.split(), value)


INTERMEDIATES = {
    "rnn_step_forward": _rnn_step_intermediates,
    "lstm_step_forward": _lstm_step_intermediates,
}

MISTAKES = rnn_mistakes.MISTAKES
