"""Calls of a worker's functions that are sent all at once, since no answer decides the next one.

A worker reads them one after the other and answers each as if it had come alone. So one trip there
and back does for all cases of a check. Whoever asks so gets right answers sooner; after any other
answer it asks again, one by one, in a fresh worker: then it is known what costs how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.isolation.wire import Opaque

AT_ONCE_S = 1.0  # for the answers to all of them; slower code is asked one by one
# All requests must fit into a socket: a worker that waits for us to read takes nothing more.
MAX_BYTES = 96 * 1024
PER_VALUE, PER_CALL = 64, 256  # bytes, about, of what goes along


@dataclass(frozen=True)
class FunctionCall:
    """A call of a function; the outputs at ``opaque`` stay in the worker as handles."""

    function: str
    arguments: tuple[Any, ...]
    opaque: tuple[int, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The request to a worker."""
        body = {"op": "call", "function": self.function, "arguments": list(self.arguments)}
        return {**body, "opaque": list(self.opaque)}

    def is_same(self, other: FunctionCall) -> bool:
        """Say whether another call would ask for the same."""
        return (
            (self.function, self.opaque) == (other.function, other.opaque)
            and len(self.arguments) == len(other.arguments)
            and all(map(_is_same, self.arguments, other.arguments))
        )


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one.handle == other.handle
    return one is other


def fit(calls: Iterable[FunctionCall]) -> bool:
    """Say whether all calls can be sent before any answer is read."""
    size = 0
    for call in calls:
        size += PER_CALL
        for value in call.arguments:
            if type(value) is np.ndarray:
                size += PER_VALUE + value.nbytes
            elif value is None or type(value) in (bool, int, float, Opaque):
                size += PER_VALUE
            else:
                return False
    return size <= MAX_BYTES
