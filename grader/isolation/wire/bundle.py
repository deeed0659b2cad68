"""Many calls in one request, from the trusted side to a worker.

A check makes some ten calls with some five arrays each. As requests of their own they cost more in
headers, buffers and system calls than in numbers. Here all of them are one text and the bytes of
all arrays, one after the other::

    [[function, arguments, positions of outputs that stay], ...]

An argument is a plain JSON scalar, ``["f", "nan"]``, ``["a", at, dtype, shape]`` for an array whose
bytes begin at ``at`` (C order), or ``["x", n]`` for an object that stays in the worker. This goes
one way only: what a worker says is read by ``codec.py``, which trusts nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .codec import DTYPES, USUAL, name_of
from .values import Opaque, WireError

BundledCall = tuple[str, Sequence[Any], Sequence[int]]  # function, arguments, positions
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


def may_be_bundled(value: Any) -> bool:
    """Say whether a value can be an argument in a bundle."""
    if type(value) is np.ndarray:
        return value.dtype in USUAL or value.dtype.name in DTYPES  # a name takes long to make
    return value is None or type(value) in (bool, int, float, Opaque)


def bundle(calls: Iterable[BundledCall]) -> tuple[str, Bytes]:
    """Return calls as a text and the bytes of all their arrays.

    Raises:
        WireError: an argument is something else than an array, a number, None or a handle.
    """
    pieces: list[bytes] = []
    at = 0

    def encoded(value: Any) -> Any:
        nonlocal at
        if not may_be_bundled(value):
            raise WireError(f"a value of type {type(value).__name__} cannot be bundled")
        if type(value) is Opaque:
            return ["x", value.handle]
        if type(value) is float and not math.isfinite(value):
            return ["f", str(value)]
        if type(value) is not np.ndarray:
            return value
        name, dtype = name_of(value.dtype)
        pieces.append(np.ascontiguousarray(value, dtype=dtype).tobytes())
        start, at = at, at + len(pieces[-1])
        return ["a", start, name, list(value.shape)]

    rows = [
        [function, [encoded(value) for value in arguments], list(opaque)]
        for function, arguments, opaque in calls
    ]
    return json.dumps(rows, allow_nan=False), np.frombuffer(b"".join(pieces), np.uint8)


def unbundle(text: str, data: Bytes, held: Callable[[int], Any]) -> Iterator[BundledCall]:
    """Yield the calls of a bundle, each made when it is asked for; arrays own their memory.

    ``held`` returns an object that stays here, and may have been made by an earlier call.
    """

    def decoded(value: Any) -> Any:
        match value:
            case ["a", start, dtype, shape]:
                array = np.frombuffer(data, dtype, math.prod(shape), start)
                return array.reshape(shape).copy()
            case ["x", handle]:
                return held(handle)
            case ["f", word]:
                return float(word)
        return value

    for function, arguments, opaque in json.loads(text):
        yield function, [decoded(value) for value in arguments], opaque
