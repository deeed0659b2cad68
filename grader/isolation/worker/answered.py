"""Functions of the student's that the trusted side answers in their place.

A check that rests on another of the student's functions is run again with that function answered
over the wire: the caller is then right or wrong whatever the other function does. What comes back
are values. A cache of the trusted side's is a handle; in its place the caller gets a cache in the
student's own arrangement, as far as it is known (``cache_layout.py``).
"""

from __future__ import annotations

import copy
import importlib
import inspect
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ..wire import Opaque
from .at_most import TooSlowError, at_most
from .cache_layout import Place, layout_of

# (name, arguments, names) -> outputs, and the values that some of the names have
Ask = Callable[[str, list[Any], list[str]], tuple[list[Any], dict[str, Any]]]
HIDDEN_NAME = "__answered__"
OWN_CALL_S = 0.5  # for one call of the student's own function, only for what it keeps


class Cache:
    """A cache whose arrangement is unknown: it can only be passed on."""

    __slots__ = ()


@dataclass
class AnsweredFunction:
    """One function, and what its caller gets for its caches."""

    name: str
    outputs: int
    opaque: list[int]
    original: Any = None
    layout: dict[str, Any] | None = None
    names: list[str] = field(default_factory=list)
    is_object: bool = False  # of a kind that only the student's own function makes

    def prepare(self, original: Any, reader: Any) -> None:
        """Take the student's own function, and the one that reads its cache, if there are any."""
        self.original = original
        if original is not None and self.opaque:
            self.layout = layout_of(original, self.opaque, self.outputs, reader)
        if self.layout is not None and self.layout["read"] is not None:
            # What is read by name is what callers find there, too; what is made may have gaps.
            made = self.layout["caches"][0]
            if made is None or isinstance(made, str) or _unknown(made):
                self.layout["caches"] = [self.layout["read"]]
                self.is_object = made is None or isinstance(made, str)
        if self.layout is not None:
            found = [name for place in self.layout["caches"] for name in names_in(place)]
            self.names = sorted(set(found))

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return the arguments in order, as the student's own signature binds them."""
        if not kwargs:
            return list(args)
        if self.original is None:
            return [*args, *kwargs.values()]
        bound = inspect.signature(self.original).bind(*args, **kwargs)
        bound.apply_defaults()
        return [*bound.args, *bound.kwargs.values()]

    def own_caches(self, args: list[Any]) -> list[Any] | None:
        """Return the caches of the student's own function, if it returns in time."""
        try:
            with at_most(OWN_CALL_S):
                found = self.original(*args)
            items = list(found)
            return [items[index] for index in self.opaque] if len(items) == self.outputs else None
        except TooSlowError:
            self.original = None  # it would be as slow the next time
            return None
        except Exception:
            return None


class AnsweredFunctions:
    """Puts stand-ins in the place of functions, in every module of the student's.

    Args:
        ask: asks the trusted side.
        folder: where the student's modules lie.
    """

    def __init__(self, ask: Ask, folder: str) -> None:
        self._ask = ask
        self._folder = folder
        self._functions: dict[str, AnsweredFunction] = {}
        self._before: list[tuple[dict[str, Any], dict[str, Any]]] = []  # names of modules
        self._codes: list[tuple[types.FunctionType, types.FunctionType]] = []  # and a copy of each
        self._handles: dict[int, tuple[Any, Opaque]] = {}
        self._lock = threading.Lock()

    def install(self, main: ModuleType, wanted: list[dict[str, Any]]) -> None:
        """Answer functions from now on.

        Args:
            main: the module that a check is about.
            wanted: for each function its ``module`` (empty for ``main``), ``function``, number of
                ``outputs``, the positions of those that are ``opaque``, and their ``reader``.
        """
        self._before = [(vars(module), dict(vars(module))) for module in self._modules()]
        found = []
        for one in wanted:
            module = _module(one["module"]) if one["module"] else main
            name = one["function"]
            answered = AnsweredFunction(name, one["outputs"], one["opaque"])
            original = getattr(module, name, None)
            reader = getattr(module, one["reader"], None) if one["reader"] else None
            answered.prepare(original if callable(original) else None, reader)
            self._functions[name] = answered
            found.append((module, name, original))
        for module, name, original in found:  # all sources have been read by now
            self._replace(module, main, name, original)

    def take_back(self) -> None:
        """Let all functions be what they were before, in all modules that there were."""
        for function, before in reversed(self._codes):  # one may have two names
            function.__code__ = before.__code__
            function.__defaults__, function.__kwdefaults__ = (
                before.__defaults__, before.__kwdefaults__,
            )  # fmt: skip
        for names, before_it in self._before:
            names.clear()
            names.update(before_it)

    def knows(self, wanted: list[dict[str, Any]]) -> bool:
        """Say whether all modules of these functions have been imported."""
        return {one["module"] for one in wanted} <= {"", *(m.__name__ for m in self._modules())}

    def _replace(self, module: ModuleType, main: ModuleType, name: str, original: Any) -> None:
        stand_in = self._stand_in(name)
        if type(original) is types.FunctionType:
            # Whoever holds the function, in a table or a closure, is answered as well.
            self._functions[name].original = before = _copy(original)
            self._codes.append((original, before))
            original.__globals__[HIDDEN_NAME] = self._answer
            free = original.__code__.co_freevars
            original.__code__ = stand_in.__code__.replace(co_freevars=free)
            original.__defaults__ = original.__kwdefaults__ = None
        else:
            for space in [vars(one) for one in self._modules()]:
                for key in [k for k, v in space.items() if v is original and v is not None]:
                    space[key] = stand_in
            setattr(module, name, stand_in)
        if getattr(main, name, None) is None:
            setattr(main, name, stand_in)

    def _stand_in(self, name: str) -> types.FunctionType:
        space: dict[str, Any] = {HIDDEN_NAME: self._answer}
        source = f"def {name}(*args, **kwargs): return {HIDDEN_NAME}({name!r}, args, kwargs)"
        exec(source, space)  # noqa: S102 - the name is the rubric's
        made: types.FunctionType = space[name]
        return made

    def _modules(self) -> Iterator[ModuleType]:
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.startswith(self._folder):
                yield module

    def _answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the function would return if it were right."""
        function = self._functions[name]
        given = function.bound(args, kwargs)
        with self._lock:  # student code may call from several threads
            sent = [self._sent(value) for value in given]
            outputs, known = self._ask(name, sent, function.names)
        if function.opaque:
            self._with_caches(function, given, outputs, known)
        return tuple(outputs) if function.outputs > 1 else outputs[0]

    def _sent(self, value: Any) -> Any:
        """Return an argument as it travels: a cache as the trusted side's handle."""
        found = self._handles.get(id(value))
        return found[1] if found is not None and found[0] is value else value

    def _with_caches(
        self,
        function: AnsweredFunction,
        given: list[Any],
        outputs: list[Any],
        known: dict[str, Any],
    ) -> None:
        """Put caches in the student's arrangement in the place of the handles."""
        layout = function.layout
        places = layout["caches"] if layout is not None else [None] * len(function.opaque)
        if layout is not None:
            known = {**dict(zip(layout["parameters"], given, strict=False)), **known}
            for name, value in zip(layout["outputs"], outputs, strict=True):
                if name is not None and not isinstance(value, Opaque):
                    known.setdefault(name, value)
        complete = all(name in known for place in places for name in names_in(place))
        own: list[Any] | None = None
        if function.original is not None and (
            function.is_object or not complete or any(_unknown(place) for place in places)
        ):
            own = function.own_caches(given)
        for number, (index, place) in enumerate(zip(function.opaque, places, strict=True)):
            instead = own[number] if own is not None else Cache()
            cache = filled(place, known, with_attributes(instead, known))
            handle = outputs[index]
            if isinstance(handle, Opaque):
                if cache is None or isinstance(cache, bool | int | float | str | bytes):
                    cache = Cache()  # an object of its own, which is found again
                self._handles[id(cache)] = (cache, handle)
            outputs[index] = cache


def with_attributes(cache: Any, known: Mapping[str, Any]) -> Any:
    """Return a copy of an object whose attributes have the values that are known by their names."""
    if isinstance(cache, tuple) and hasattr(cache, "_fields"):
        return type(cache)(
            *(known.get(name, v) for name, v in zip(cache._fields, cache, strict=True))
        )
    attributes = getattr(cache, "__dict__", None)
    if not isinstance(attributes, dict) or isinstance(cache, type | ModuleType):
        return cache
    try:
        made = copy.copy(cache)
        for name in attributes:
            if name in known:
                object.__setattr__(made, name, known[name])
    except Exception:
        return cache
    return made


def filled(place: Place, known: Mapping[str, Any], instead: Any, gap: Any = None) -> Any:
    """Return a cache with values in its places; ``instead`` has those that are not known.

    What is not there either is a ``gap``.
    """
    if isinstance(place, str):
        return known.get(place, instead)
    if not isinstance(place, list):
        return instead
    kind, *rest = place
    if kind == "d":
        values = instead if isinstance(instead, dict) else {}
        return {key: filled(one, known, values.get(key, gap), gap) for key, one in rest}
    same = isinstance(instead, tuple | list) and len(instead) == len(rest)
    own = list(instead) if same else [gap] * len(rest)
    items = [filled(one, known, value, gap) for one, value in zip(rest, own, strict=True)]
    if kind == "l":
        return items
    return type(instead)(*items) if same and hasattr(instead, "_fields") else tuple(items)


def names_in(place: Place) -> Iterator[str]:
    """Yield the names in a place."""
    if isinstance(place, str):
        yield place
    elif isinstance(place, list):
        for one in place[1:]:
            yield from names_in(one[1] if place[0] == "d" else one)


def _unknown(place: Place) -> bool:
    if isinstance(place, list):
        return any(_unknown(one[1] if place[0] == "d" else one) for one in place[1:])
    return place is None


def _module(name: str) -> ModuleType:
    """Return a module of the student's; an empty one in its place if it cannot be imported."""
    try:
        return importlib.import_module(name)
    except Exception:
        made = ModuleType(name)
        made.__file__ = os.devnull
        sys.modules[name] = made
        return made


def _copy(function: types.FunctionType) -> types.FunctionType:
    copied = types.FunctionType(
        *(function.__code__, function.__globals__, function.__name__, function.__defaults__),
        function.__closure__,
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied
