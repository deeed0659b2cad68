"""Answers calls of a student's functions with the reference's.

The reference computes in a forked child with limits (``grader/isolation/bounded.py``), which ends
with the check: what student code asks for cannot harm the grader. What was asked for before is
remembered (``remembered.py``); a cache is then made only if something is computed from it.
"""

from __future__ import annotations

import inspect
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from grader.assignment.reference import Assignment
from grader.errors import Closing
from grader.isolation.bounded import BoundedChild, BoundExceededError, Bounds, UnsendableError
from grader.isolation.wire import Encoder, Opaque, WireError, pack
from grader.isolation.wire.codec import Buffer
from grader.model import Signature

from . import remembered
from .remembered import AnsweredCall, Calls, nbytes

MEMORY_MB = 256  # beyond what the grading process has when the child is forked
KEPT_BYTES = 64 << 20  # of caches that student code may still hand back
MAX_ANSWER_BYTES = 64 << 20
MAX_SHAPES_SHOWN = 8


class Answers(Closing):
    """Answers calls of some functions, for the workers of one check.

    Attributes:
        asked: the functions that have been asked for.

    Args:
        assignment: whose reference answers.
        main: the module that the check is about.
        functions: what may be asked for.
    """

    def __init__(self, assignment: Assignment, main: str, functions: Iterable[Signature]) -> None:
        self._main = main
        self._functions = {one.function: one for one in functions}
        self._numbers = {name: number for number, name in enumerate(self._functions)}
        self._told = {name: repr(one) for name, one in self._functions.items()}
        self._answering = _Answering(assignment)
        self._child = BoundedChild()
        self._remembered = remembered.of(assignment)
        self._remembers = True  # until something cannot be computed
        self._calls = Calls(KEPT_BYTES)
        self.asked: set[str] = set()

    @property
    def wanted(self) -> list[dict[str, Any]]:
        """What a worker has to know of the functions."""
        return [
            {
                "module": "" if one.module == self._main else one.module.removesuffix(".py"),
                "function": one.function,
                "outputs": one.outputs,
                "opaque": list(one.opaque),
                "reader": one.reader,
            }
            for one in self._functions.values()
        ]

    def __call__(
        self, asked: Mapping[str, Any], buffers: Sequence[Buffer], deadline: float
    ) -> list[Buffer]:
        """Return the frame that answers a call; a call that cannot be answered is refused in it.

        Raises:
            WireError: no such function may be asked for.
        """
        name = asked.get("ask")
        if not isinstance(name, str) or name not in self._functions:
            raise WireError("it asks for a function that is not answered")
        self.asked.add(name)
        bounds = Bounds(deadline - time.monotonic(), MEMORY_MB, MAX_ANSWER_BYTES)
        try:
            return self._answer(name, asked, buffers, bounds)
        except BoundExceededError:
            self._calls.child_ended()
            text = f"{name}: this call takes too much time or memory"
        except UnsendableError:
            self._calls.child_ended()
            text = f"{name} cannot be computed from these arguments"
        except WireError:
            text = f"{name} cannot be computed from these arguments"
        self._remembers = False
        return pack(Encoder().encode({"refused": text}), [])

    def _answer(
        self, name: str, asked: Mapping[str, Any], buffers: Sequence[Buffer], bounds: Bounds
    ) -> list[Buffer]:
        """Return the frame of the answer to a call: that which is remembered, or the child's."""
        signature, arguments = self._functions[name], asked.get("arguments")
        names, text = asked.get("names"), remembered.as_json(arguments)
        key = remembered.key_of(self._told[name], arguments, text, buffers, names, self._calls)
        call = AnsweredCall(self._numbers[name], arguments, len(text), buffers, key)
        answer = self._remembered.get(key)
        is_new = answer is None
        if answer is None:
            answer, is_usual = self._computed(call, names, bounds)
            if "refused" in answer:
                self._remembers = False
                return _frame(answer)
            if key is not None and is_usual and self._remembers:
                self._remembered.put(key, answer)
        outputs = list(answer["outputs"])
        kept = [index for index in range(len(outputs)) if index in signature.opaque]
        first = self._calls.count
        handles = self._calls.add(call, len(kept))
        if is_new:
            self._calls.in_child.update(handles)
        else:
            frame = self._remembered.frame(key, first)
            if frame is not None:
                return [frame]
        for index, handle in zip(kept, handles, strict=True):
            outputs[index] = Opaque(handle, "cache")
        pieces = _frame({"outputs": outputs, "known": answer["known"]})
        self._remembered.put_frame(key, first, b"".join(pieces))
        return pieces

    def _computed(
        self, call: AnsweredCall, names: Any, bounds: Bounds
    ) -> tuple[dict[str, Any], bool]:
        """Return the answer, and whether it was computed from caches that nobody had used."""
        given = call.given
        missing = self._calls.missing(given)
        before = [[handle, earlier.number, earlier.given] for handle, earlier in missing.items()]
        asked = [before, self._calls.count, call.number, given, names]
        answer: dict[str, Any] = self._child.do("answer", self._answered, asked, bounds)
        is_usual = True
        for handle, earlier in missing.items():
            self._calls.in_child.update(range(handle, handle + earlier.kept))
            is_usual &= self._calls.use(earlier.given)
        return answer, is_usual & self._calls.use(given)

    def _answered(self, asked: list[Any]) -> dict[str, Any]:
        """Answer a call (runs in the child, which keeps the caches)."""
        before, handle, number, given, names = asked
        functions = list(self._functions.values())
        for earlier, function, arguments in before:
            self._answering.answer(functions[function], arguments, [], earlier)
        return self._answering.answer(functions[number], given, names, handle)

    def close(self) -> None:
        """End the child."""
        self._child.close()


def _frame(answer: dict[str, Any]) -> list[Buffer]:
    encoder = Encoder()
    return pack(encoder.encode(answer), encoder.buffers)


class _Answering:
    """Calls the reference's functions, and keeps the caches that they return."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._caches: OrderedDict[int, Any] = OrderedDict()
        self._bytes = 0

    def answer(self, signature: Signature, given: Any, names: Any, handle: int) -> dict[str, Any]:
        """Return the outputs and what is known by names, or why there are none.

        ``handle`` is what the first cache gets.
        """
        shapes: list[str] = []
        try:
            shapes = [_shown(value) for value in given]
            arguments = [self._own(value) for value in given]
            with np.errstate(all="ignore"):
                outputs = self._outputs(signature, arguments)
                known = self._known(signature, arguments, names)
            kept = list(outputs)
            for index in range(len(outputs)):
                if index in signature.opaque:
                    kept[index] = self._kept(handle, outputs[index])
                    handle += 1
        except Exception:  # noqa: BLE001 - a student's function may be called with anything
            words = ", ".join(shapes[:MAX_SHAPES_SHOWN])
            text = f"{signature.function} cannot be computed from these arguments: {words}"
            return {"refused": text}
        return {"outputs": kept, "known": known}

    def _outputs(self, signature: Signature, arguments: list[Any]) -> list[Any]:
        function = getattr(self._assignment.solution(signature.module), signature.function)
        # A student's own function may have parameters that the reference does not.
        result = function(*arguments[: len(inspect.signature(function).parameters)])
        return [result] if signature.outputs == 1 else list(result)

    def _known(
        self, signature: Signature, arguments: list[Any], names: list[str]
    ) -> dict[str, Any]:
        found = self._assignment.intermediates(signature.module, signature.function)
        if found is None or not names:
            return {}
        values = found(*arguments[: len(inspect.signature(found).parameters)])
        return {name: values[name] for name in names if name in values}

    def _own(self, value: Any) -> Any:
        """Return an argument, in the place of a handle the cache that it stands for."""
        return self._caches[value.handle] if isinstance(value, Opaque) else value

    def _kept(self, handle: int, cache: Any) -> Opaque:
        self._caches[handle] = cache
        self._bytes += nbytes(cache)
        while self._bytes > KEPT_BYTES and len(self._caches) > 1:
            _handle, oldest = self._caches.popitem(last=False)
            self._bytes -= nbytes(oldest)
        return Opaque(handle, "cache")


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return str(shape) if shape is not None else type(value).__name__.lower()
