"""Does a mutant of ``rnn_layers.py`` compute something else than its origin?

Both are run: all functions of the homework are called on inputs of many sizes, of both precisions
and of large magnitude. A backward function gets the cache of its own forward function. The programs
are changes of our own examples, so they run in this process, with a clock.
"""

from __future__ import annotations

import contextlib
import signal
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, Literal

import numpy as np

Behavior = Literal["equivalent", "wrong", "raises", "cache"]
Values = dict[str, list[Any]]  # what the calls of each function gave, or the exception

TIMEOUT_S = 5.0
SAME = 1.0e-6  # relative; what rounding leaves is far less, a change of precision is about as much
SAME_SINGLE = 1.0e-3
# (T, N, D, H): every order of the sizes, ones, and a long sequence.
SIZES = [(3, 2, 4, 5), (2, 6, 3, 4), (4, 5, 3, 2), (1, 3, 2, 5), (3, 1, 5, 2), (12, 2, 3, 3)]
SCALES = [(np.float64, 1.0), (np.float32, 1.0), (np.float64, 300.0)]
PAIRS = {
    "rnn_step_forward": ("rnn_step_backward", 1),
    "rnn_forward": ("rnn_backward", 1),
    "lstm_step_forward": ("lstm_step_backward", 2),
    "lstm_forward": ("lstm_backward", 1),
    "temporal_fc_forward": ("temporal_fc_backward", 1),
}  # with how many outputs the forward function has beside its cache


class Behaving:
    """What a program computes, to compare others with.

    Args:
        source: the program.
    """

    def __init__(self, source: str) -> None:
        self._right = _values(source)

    def of(self, source: str, function: str) -> Behavior:
        """Say what the change of ``function`` in another program does to its values."""
        try:
            found = _values(source)
        except TimeoutError:
            return "raises"
        if any(isinstance(value, Exception) for values in found.values() for value in values):
            own = any(isinstance(value, Exception) for value in found[function])
            partner = PAIRS.get(function, ("", 0))[0]
            only_cache = bool(partner) and not own and _same(self._right[function], found[function])
            return "cache" if only_cache else "raises"
        if all(_same(values, found[name]) for name, values in self._right.items()):
            return "equivalent"
        if function in PAIRS and _same(self._right[function], found[function]):
            return "cache"
        return "wrong"


def _same(right: list[Any], found: list[Any]) -> bool:
    return len(right) == len(found) and all(map(_alike, right, found))


def _alike(right: Any, found: Any) -> bool:
    if isinstance(right, Exception) or isinstance(found, Exception):
        return type(right) is type(found)
    if not isinstance(right, tuple):
        right, found = (right,), (found,)
    if not isinstance(found, tuple) or len(found) != len(right):
        return False
    return all(map(_close, right, found))


def _close(right: Any, found: Any) -> bool:
    if found is None:
        return right is None
    try:
        a, b = np.asarray(right), np.asarray(found)
    except ValueError:  # lists of different lengths
        return False
    if a.shape != b.shape or a.dtype != b.dtype or b.dtype.kind not in "fiub":
        return False
    rtol = SAME_SINGLE if a.dtype == np.float32 else SAME
    return bool(np.allclose(b, a, rtol=rtol, atol=1e-2 * rtol, equal_nan=True))


@contextlib.contextmanager
def _clock() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, TIMEOUT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _values(source: str) -> Values:
    """Return what every function of a program gives, with the exceptions that it raises."""
    program: dict[str, Any] = {"__name__": "mutant"}
    found: Values = {}
    with _clock(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        exec(compile(source, "mutant", "exec"), program)
        for number, sizes in enumerate(SIZES):
            for dtype, scale in SCALES:
                rng = np.random.default_rng(number)
                for forward, inputs in _inputs(rng, *sizes, dtype, scale).items():
                    _call_pair(program, found, forward, inputs)
                _call(program, found, "temporal_softmax_loss", _scores(rng, *sizes, dtype, scale))
    return found


def _call_pair(program: dict[str, Any], found: Values, forward: str, inputs: list[Any]) -> None:
    backward, outputs = PAIRS[forward]
    result = _call(program, found, forward, inputs)
    if not isinstance(result, tuple) or len(result) != outputs + 1:
        found.setdefault(backward, []).append(ValueError("nothing to differentiate"))
        return
    rng = np.random.default_rng(1)
    try:
        shapes = [np.shape(value) for value in result[:-1]]
        cotangents = [rng.normal(size=shape).astype(inputs[0].dtype) for shape in shapes]
    except (ValueError, TypeError) as error:
        found.setdefault(backward, []).append(error)
        return
    _call(program, found, backward, [*cotangents, result[-1]])


def _call(program: dict[str, Any], found: Values, name: str, arguments: list[Any]) -> Any:
    """Call a function; keep its outputs without the cache, or its exception."""
    try:
        result = program[name](*(a.copy() if isinstance(a, np.ndarray) else a for a in arguments))
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 - a mutant may raise anything
        result = error
    kept = result[:-1] if name in PAIRS and isinstance(result, tuple) else result
    found.setdefault(name, []).append(kept)
    return result


def _inputs(
    rng: np.random.Generator, t: int, n: int, d: int, h: int, dtype: type, scale: float
) -> dict[str, list[Any]]:
    def normal(*shape: int, by: float = 1.0) -> Any:
        return (by * rng.normal(size=shape)).astype(dtype)

    def weights(gates: int) -> list[Any]:
        return [normal(d, gates * h, by=0.5), normal(h, gates * h, by=0.5), normal(gates * h)]

    return {
        "rnn_step_forward": [normal(n, d, by=scale), normal(n, h), *weights(1)],
        "rnn_forward": [normal(t, n, d, by=scale), normal(n, h), *weights(1)],
        "lstm_step_forward": [normal(n, d, by=scale), normal(n, h), normal(n, h), *weights(4)],
        "lstm_forward": [normal(t, n, d, by=scale), normal(n, h), *weights(4)],
        "temporal_fc_forward": [normal(n, t, d), normal(d, h), normal(h)],
    }


def _scores(
    rng: np.random.Generator, t: int, n: int, _d: int, v: int, dtype: type, scale: float
) -> list[Any]:
    """Scores, words and a mask; with a large scale a softmax without maximum overflows."""
    scores = (10 * scale * rng.normal(size=(n, t, v))).astype(dtype)
    return [scores, rng.integers(v, size=(n, t)), rng.random((n, t)) < 0.7]
