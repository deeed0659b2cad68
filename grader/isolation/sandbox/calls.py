"""Calls of a worker's functions that are sent all at once, since no answer decides the next one.

They are one request, and so are the answers, up to the first call that raises. So one trip there
and back does for all cases of a check. Whoever asks so gets right answers sooner; after any other
answer it asks again, one by one, in a fresh worker: then it is known what costs how much.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.isolation.wire import Opaque
from grader.isolation.wire.bundle import Bytes, bundle, may_be_bundled

AT_ONCE_S = 1.0  # for the answers to all of them; slower code is asked one by one
# All requests must fit into a socket: a worker that waits for us to read takes nothing more.
MAX_BYTES = 96 * 1024
MAX_BUNDLES = 64  # that are kept: each holds up to MAX_BYTES
PER_VALUE, PER_CALL = 64, 256  # bytes, about, of what goes along
# Arguments, and what a function should return for them; None where that is not known.
Wanted = tuple[list[Any], list[Any]]


def in_one_request(text: str, data: Bytes) -> dict[str, Any]:
    """Return the request for a bundle of calls."""
    return {"op": "calls", "calls": text, "data": data}


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
            if not may_be_bundled(value):
                return False
            size += PER_VALUE + (value.nbytes if type(value) is np.ndarray else 0)
    return size <= MAX_BYTES


def in_batches(calls: Sequence[FunctionCall]) -> Iterator[Sequence[FunctionCall]]:
    """Yield calls in rows of as many as fit; one that never does is a row of its own."""
    start = 0
    while start < len(calls):
        end = len(calls)
        while end > start + 1 and not fit(calls[start:end]):
            end = (start + end + 1) // 2
        yield calls[start:end]
        start = end


def bundled(calls: Iterable[FunctionCall]) -> tuple[str, Bytes]:
    """Return calls as a bundle; raises ``WireError`` for an argument that cannot be part of one."""
    return bundle((call.function, call.arguments, call.opaque) for call in calls)


class Bundles:
    """Calls as they are sent. Each submission is asked the same: they are made once."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[Any, ...], tuple[Sequence[FunctionCall], str, Bytes]] = (
            OrderedDict()
        )

    def of(self, calls: Sequence[FunctionCall]) -> tuple[str, Bytes]:
        """Return calls with the very same arguments as a bundle."""
        key = tuple((call.function, call.opaque, *map(_identity, call.arguments)) for call in calls)
        if key not in self._made:
            made = bundled(calls)
            self._made[key] = (calls, *made)  # the calls, so that no other object gets their number
        self._made.move_to_end(key)
        while len(self._made) > MAX_BUNDLES:
            self._made.popitem(last=False)
        return self._made[key][1:]


def _identity(value: Any) -> object:
    return ("x", value.handle) if type(value) is Opaque else id(value)
