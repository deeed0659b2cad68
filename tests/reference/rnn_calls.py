"""Call every function of an rnn_layers file on the same inputs, to compare files by results.

Not a test itself: shared by test_full_marks_rnn.py and test_wrong_rnn.py.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "reference" / "submissions"
HONEST = SUBMISSIONS / "_honest"  # what wrong examples import, with all but their mistake

# Forward functions and their arguments, by the names that make_inputs gives them.
FORWARD = {
    "rnn_step_forward": ("x_t", "h0", "Wx", "Wh", "b"),
    "rnn_forward": ("x", "h0", "Wx", "Wh", "b"),
    "lstm_step_forward": ("x_t", "h0", "c0", "Wx4", "Wh4", "b4"),
    "lstm_forward": ("x", "h0", "Wx4", "Wh4", "b4"),
    "word_embedding_forward": ("words", "W"),
    "temporal_fc_forward": ("features", "fc_w", "fc_b"),
}
# Backward functions: where their cache comes from, and the gradients that arrive from above.
BACKWARD = {
    "rnn_step_backward": ("rnn_step_forward", ("dh_t",)),
    "rnn_backward": ("rnn_forward", ("dh",)),
    "lstm_step_backward": ("lstm_step_forward", ("dh_t", "dc_t")),
    "lstm_backward": ("lstm_forward", ("dh",)),
    "word_embedding_backward": ("word_embedding_forward", ("dembedded",)),
    "temporal_fc_backward": ("temporal_fc_forward", ("dfc",)),
}
CACHELESS = {"sigmoid": ("a",), "temporal_softmax_loss": ("scores", "words", "mask")}
FUNCTIONS = (*FORWARD, *BACKWARD, *CACHELESS)

Outcome = tuple[np.ndarray, ...] | Exception

_numbers = itertools.count()


def load(path: Path) -> ModuleType:
    """Import a file under a name of its own, without leaving a __pycache__ beside it.

    What it imports from ``_honest`` is imported anew: it may put functions of its own in there.
    """
    name = f"rnn_layers_loaded_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.modules[name] = module  # where dataclasses and pickle look for it
    sys.path.insert(0, str(HONEST))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(HONEST))
        sys.modules.pop("honest_layers", None)
        sys.dont_write_bytecode = before
    return module


def make_inputs(
    seed: int,
    *,
    N: int = 3,
    T: int = 4,
    D: int = 5,
    H: int = 6,
    V: int = 8,
    M: int = 7,
    scale: float = 1.0,
    scores: str = "moderate",
    mask: str = "random",
    dtype: type = np.float64,
) -> dict[str, np.ndarray]:
    """Random arguments for all functions; scale applies to what is not a weight."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int, by: float = 1.0) -> np.ndarray:
        return np.asarray(by * rng.standard_normal(shape), dtype=dtype)

    made = {
        "a": normal(3, 4, by=scale),
        "x": normal(T, N, D, by=scale),
        "h0": normal(N, H, by=scale),
        "c0": normal(N, H, by=scale),
        "Wx": normal(D, H, by=0.5),
        "Wh": normal(H, H, by=0.5),
        "b": normal(H, by=0.5),
        "Wx4": normal(D, 4 * H, by=0.5),
        "Wh4": normal(H, 4 * H, by=0.5),
        "b4": normal(4 * H, by=0.5),
        "dh": normal(T, N, H, by=scale),
        "dh_t": normal(N, H, by=scale),
        "dc_t": normal(N, H, by=scale),
        "words": rng.integers(0, V, size=(N, T)),
        "W": normal(V, D, by=scale),
        "dembedded": normal(N, T, D, by=scale),
        "features": normal(N, T, D, by=scale),
        "fc_w": normal(D, M),
        "fc_b": normal(M),
        "dfc": normal(N, T, M, by=scale),
    }
    made["x_t"] = made["x"][0].copy()
    if scores == "moderate":
        made["scores"] = normal(N, T, V, by=3.0 * scale)
    else:  # "extreme": +-1000 and 0, so that probabilities are 0 and 1 up to rounding
        made["scores"] = rng.choice([-1000.0, 0.0, 1000.0], size=(N, T, V)).astype(dtype)
    made["mask"] = rng.random((N, T)) < 0.6
    if mask == "random":
        made["mask"][0, 0] = True  # never all False
    elif mask == "empty rows":
        made["mask"][0] = False
        made["mask"][1:, 0] = True
    elif mask == "empty":
        made["mask"][:] = False
    return made


def _arguments(inputs: dict[str, np.ndarray], names: tuple[str, ...]) -> list[np.ndarray]:
    return [inputs[name].copy() for name in names]  # the caller's arrays are its own to change


def _attempt(call: Callable[[], Any]) -> Outcome:
    try:
        result = call()
    except Exception as error:  # noqa: BLE001  (a student's function may raise anything)
        return error
    return tuple(map(np.asarray, result if isinstance(result, tuple) else (result,)))


def call_all(module: ModuleType, inputs: dict[str, np.ndarray]) -> dict[str, Outcome]:
    """Results of all functions, caches left out; backward functions get a fresh cache."""

    def forward(name: str) -> tuple[Any, ...]:
        result: tuple[Any, ...] = getattr(module, name)(*_arguments(inputs, FORWARD[name]))
        return result

    def backward(name: str) -> Any:
        forward_name, upstream = BACKWARD[name]
        cache = forward(forward_name)[-1]
        return getattr(module, name)(*_arguments(inputs, upstream), cache)

    def cacheless(name: str) -> Any:
        return getattr(module, name)(*_arguments(inputs, CACHELESS[name]))

    outcomes = {name: _attempt(lambda name=name: forward(name)[:-1]) for name in FORWARD}
    outcomes |= {name: _attempt(lambda name=name: backward(name)) for name in BACKWARD}
    outcomes |= {name: _attempt(lambda name=name: cacheless(name)) for name in CACHELESS}
    return outcomes


def disagreement(got: Outcome, want: Outcome, *, rtol: float, atol: float) -> str | None:
    """Why two outcomes are not the same, or None if they are."""
    if isinstance(want, Exception):
        raise want  # the yardstick itself must not fail
    if isinstance(got, Exception):
        return f"raised {got!r}"
    if len(got) != len(want):
        return f"{len(got)} results instead of {len(want)}"
    for index, (g, w) in enumerate(zip(got, want, strict=True)):
        if g.shape != w.shape:
            return f"result {index} has shape {g.shape} instead of {w.shape}"
        if not np.allclose(g, w, rtol=rtol, atol=atol):
            return f"result {index} is off by up to {np.max(np.abs(g - w))}"
    return None
