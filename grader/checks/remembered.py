"""Answers of the reference that are asked for again: for the same values, in any submission.

Most of a class asks for the same: the cases are the same, and right functions pass on right values.
What is remembered was computed by the reference from exactly these values, so it is what would be
computed again.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from grader.assignment.reference import Assignment
from grader.isolation.wire import Decoder, Opaque, WireError
from grader.isolation.wire.codec import Buffer

KEPT_BYTES = 32 << 20  # of answers, of one assignment
MAX_BYTES = 1 << 20  # of one answer
ENTRY_BYTES = 1000  # about what an entry takes beside its arrays
OBJECTS_PER_BYTE = 20  # bytes of objects that a byte of text may stand for: an empty list
MAX_FRAMES, MAX_FRAME_BYTES = 3, 16 * 1024  # of an answer: small ones take longest to be made
OPAQUE = "x"  # the wire's tag of a handle


@dataclass
class AnsweredCall:
    """A call as it came over the wire; its caches, of which there are ``kept``, have handles.

    ``number`` is that of the function, ``arguments`` are still encoded, ``size`` is that of their
    text, ``buffers`` are what arrays hold, and ``key`` tells what was asked from everything else.
    """

    number: int
    arguments: Any
    size: int
    buffers: Sequence[Buffer]
    key: bytes | None
    kept: int = 0

    @property
    def given(self) -> Any:
        """The arguments; raises ``WireError``."""
        buffers = [bytearray(buffer) for buffer in self.buffers]
        return Decoder(buffers).decode(self.arguments)


class Calls:
    """The calls whose caches student code may still hand back; of too many the last ones.

    Attributes:
        count: of the caches so far; the next one gets this handle.
        in_child: the handles whose caches have been made, and are where they can be used.
        used: those of them that were passed on: a function may have changed them.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        # By the handle of the first cache.
        self._calls: OrderedDict[int, AnsweredCall] = OrderedDict()
        self._first: dict[int, int] = {}  # that handle, by handle
        self.count = 0
        self.in_child: set[int] = set()
        self.used: set[int] = set()

    def add(self, call: AnsweredCall, kept: int) -> range:
        """Return the handles of the caches that a call has."""
        call.kept = kept
        handles = range(self.count, self.count + kept)
        self.count += kept
        if not kept:
            return handles
        self._calls[handles[0]] = call
        self._first |= dict.fromkeys(handles, handles[0])
        self._bytes += _sent_bytes(call)
        while self._bytes > self._most_bytes and len(self._calls) > 1:
            first, oldest = self._calls.popitem(last=False)
            self._bytes -= _sent_bytes(oldest)
            for handle in range(first, first + oldest.kept):
                del self._first[handle]
        return handles

    def origin(self, handle: Any) -> str | None:
        """Return what tells a cache from every other; None if that is not known."""
        first = self._first.get(handle) if type(handle) is int else None
        key = self._calls[first].key if first is not None else None
        return f"{handle - first} of {key.hex()}" if first is not None and key else None

    def missing(self, given: Any) -> dict[int, AnsweredCall]:
        """Return the calls whose caches are among these values and are not made yet.

        They come by their first handles, and a call after those whose caches it needs itself.
        """
        found: dict[int, AnsweredCall] = {}
        waiting = [given]
        while waiting:
            values = waiting.pop()
            for value in values if isinstance(values, list | tuple) else ():
                first = self._first.get(value.handle) if isinstance(value, Opaque) else None
                if first is not None and value.handle not in self.in_child and first not in found:
                    found[first] = self._calls[first]
                    waiting.append(found[first].given)
        return dict(sorted(found.items()))

    def child_ended(self) -> None:
        """Note that no cache is there any more."""
        self.in_child.clear()
        self.used.clear()

    def use(self, given: Any) -> bool:
        """Note which caches are among these values; say whether all are as they were made."""
        values = given if isinstance(given, list | tuple) else ()
        handles = {value.handle for value in values if isinstance(value, Opaque)}
        fresh = self.used.isdisjoint(handles)
        self.used |= handles
        return fresh


def _sent_bytes(call: AnsweredCall) -> int:
    arrays = sum(memoryview(buffer).nbytes for buffer in call.buffers)
    return ENTRY_BYTES + OBJECTS_PER_BYTE * call.size + arrays


def as_json(value: Any) -> str:
    """Return what came over the wire as JSON; raises ``WireError`` if it is nested too deeply."""
    try:
        return json.dumps(value)
    except RecursionError:
        raise WireError("a question is nested too deeply") from None


@dataclass
class _Entry:
    """An answer with its frames, by the handle of the first cache in them."""

    answer: dict[str, Any]
    size: int
    frames: dict[int, bytes]


class Remembered:
    """Answers by what was asked; of too many the ones that were not used longest are forgotten."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    def get(self, key: bytes | None) -> dict[str, Any] | None:
        """Return an answer; None if there is none."""
        if key is None or key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key].answer

    def put(self, key: bytes, answer: dict[str, Any]) -> None:
        """Keep an answer, if it is not too large."""
        size = ENTRY_BYTES + nbytes(answer)
        if size > MAX_BYTES or key in self._entries:
            return
        self._entries[key] = _Entry(answer, size, {})
        self._grow(size)

    def frame(self, key: bytes | None, first: int) -> bytes | None:
        """Return the frame in which an answer was sent with this first handle; None if it was not.

        Most submissions ask for the same in the same order.
        """
        entry = self._entries.get(key) if key is not None else None
        return entry.frames.get(first) if entry is not None else None

    def put_frame(self, key: bytes | None, first: int, frame: bytes) -> None:
        """Keep the frame of an answer that is remembered."""
        entry = self._entries.get(key) if key is not None else None
        if entry is None:
            return
        if len(entry.frames) < MAX_FRAMES and len(frame) <= MAX_FRAME_BYTES:
            entry.frames[first] = frame
            entry.size += len(frame)
            self._grow(len(frame))

    def _grow(self, size: int) -> None:
        self._bytes += size
        while self._bytes > KEPT_BYTES:
            _key, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size


_of_assignments: WeakKeyDictionary[Assignment, Remembered] = WeakKeyDictionary()


def of(assignment: Assignment) -> Remembered:
    """Return what is remembered of an assignment's reference in this process."""
    return _of_assignments.setdefault(assignment, Remembered())


def key_of(
    function: str,
    arguments: Any,
    text: str,
    buffers: Sequence[Buffer],
    names: Any,
    calls: Calls,
) -> bytes | None:
    """Return what is the same for calls with the same values; None if that cannot be said.

    Args:
        function: what the rubric says of it.
        arguments: as they came over the wire, with the buffers.
        text: the same as JSON.
        buffers: what arrays hold.
        names: what else is asked for.
        calls: those that have made the caches among the values.

    Raises:
        WireError: it is nested too deeply.
    """
    if type(arguments) is not list:
        return None
    if any(type(item) is list and item[:1] == [OPAQUE] for item in arguments):
        items = []
        for item in arguments:
            if type(item) is list and item[:1] == [OPAQUE]:
                origin = calls.origin(item[1] if item[1:] else None)
                if origin is None:
                    return None
                items.append([OPAQUE, origin])
            else:
                items.append(item)
        text = as_json(items)
    sizes = [len(buffer) for buffer in buffers]
    found = hashlib.sha256(as_json([function, names, sizes, len(text)]).encode())
    found.update(text.encode())
    for buffer in buffers:
        found.update(buffer)
    return found.digest()


def nbytes(value: Any) -> int:
    """Return how many bytes of arrays are in a value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return sum(map(nbytes, value))
    return int(getattr(value, "nbytes", 0))
