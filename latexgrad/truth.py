"""The truth: values and gradients by reverse-mode automatic differentiation, in float64.

The library is ``autograd``, which differentiates numpy code: torch, whose gradients are the same to
rounding (``tests/latexgrad/test_truth.py``), would take two thirds of the memory and most of the
time of grading a derivation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from autograd import grad, make_vjp

from .arithmetic import Shape, ShapeError, shape_of
from .evaluate import evaluate
from .functions import NUMPY
from .limits import Budget
from .network import TIME, Dims, Key, Network, key_of, keys_in
from .nodes import Gradient, Node, Symbol
from .reading import Probe, readings

# Sizes by which a shape shows what its dimensions are: each letter has its own.
PROBE_SIZES = {"D": 5, "H": 4} | {
    letter: size for size, letter in enumerate("ABCEFGIJKLMNOPQRSUVWXYZ", 6)
}
POINTS_KEPT = 256
LEAST_NUMBER = 0.2
WEIGHT = 0.7  # the spread of weights and inputs: far from where tanh is flat
Sizes = tuple[tuple[str, int], ...]
TimedKey = tuple[Key, int | None]


@dataclass(frozen=True)
class Point:
    """A random point: every value and gradient at every time, vectors as columns.

    ``values`` holds values (``of`` empty), total gradients (``L``) and the direct gradients of each
    step's own loss (``D``).
    """

    sizes: dict[str, int]
    values: Mapping[TimedKey, Any]
    seed: int = 0

    @property
    def last(self) -> int:
        """The number of steps."""
        return self.sizes["T"]


def dims_of(network: Network) -> dict[Key, Dims]:
    """Return the dimensions of all values: those of computed ones follow from the equations."""
    return _settled_network(network)[1]


@lru_cache(maxsize=64)
def _settled_network(network: Network) -> tuple[tuple[tuple[Symbol, Node], ...], dict[Key, Dims]]:
    dims: dict[Key, Dims] = dict(network.inputs)
    names = {size: name for name, size in PROBE_SIZES.items()}

    result: list[tuple[Symbol, Node]] = []
    for symbol, node in network.forward:
        reading = readings(node, _probe(network, dims))[0]
        value = np.asarray(reading.value)
        value = value if value.ndim else value.reshape(1, 1)
        dims[key_of(symbol)] = tuple(names[size] for size in value.shape if size > 1)
        result.append((symbol, reading.node))
    return tuple(result), dims


def _probe(network: Network, dims: Mapping[Key, Dims]) -> Probe:
    def shape(key: Key) -> Shape | None:
        found = dims.get(key)
        return None if found is None else concrete(found, PROBE_SIZES)

    return Probe(shape, Budget(), network.letters)


def plus(*names: str) -> str:
    """Return the name of the size of several blocks."""
    return "+".join(names)


def size_of(name: str, sizes: Mapping[str, int]) -> int:
    """Return the size that a letter, or the sum of several, stands for; 1 for anything else."""
    return sum(sizes.get(letter, 1) for letter in name.split("+"))


def concrete(dims: Dims, sizes: Mapping[str, int]) -> Shape:
    """Return the shape of a value: a vector is a column."""
    if not dims:
        return 1, 1
    if len(dims) == 1:
        return sizes[dims[0]], 1
    return sizes[dims[0]], sizes[dims[1]]


class _Slices:
    """Matrices as slices of one vector, which is what the loss is differentiated by."""

    def __init__(self, shapes: Iterable[tuple[TimedKey, Shape]]) -> None:
        self._bounds: dict[TimedKey, tuple[int, int, Shape]] = {}
        self.size = 0
        for place, shape in shapes:
            end = self.size + shape[0] * shape[1]
            self._bounds[place] = (self.size, end, shape)
            self.size = end

    def __contains__(self, place: object) -> bool:
        return place in self._bounds

    def of(self, vector: Any, place: TimedKey) -> Any:
        start, end, shape = self._bounds[place]
        return vector[start:end].reshape(shape)

    def split(self, vector: Any) -> dict[TimedKey, Any]:
        return {place: self.of(vector, place) for place in self._bounds}


class _Forward:
    """The scope of the forward equations."""

    functions = NUMPY

    def __init__(self, values: dict[TimedKey, Any], sizes: Mapping[str, int]) -> None:
        self.budget = Budget()
        self.values = values
        self.sizes = sizes
        self.last = sizes["T"]

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return a value that has been computed."""
        key = key_of(node)
        if (key, time) not in self.values and key.name in self.sizes:
            return float(self.sizes[key.name])
        return self.values[key, time]

    def shape(self, node: Symbol | Gradient) -> Shape | None:
        """Return the shape of a value, None if it is not known."""
        found = next(
            (value for (key, _), value in self.values.items() if key == key_of(node)), None
        )
        return shape_of(found)

    def upright(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return a value, which is a column where it is a vector."""
        return self.leaf(node, time)


class _Local(_Forward):
    """The scope of one equation by itself: tells which values it uses directly."""

    def __init__(self, values: dict[TimedKey, Any], sizes: Mapping[str, int]) -> None:
        super().__init__(values, sizes)
        self.used: dict[TimedKey, Any] = {}

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return a value, and note that it is used."""
        place = (key_of(node), time)
        if place not in self.values:
            return super().leaf(node, time)
        self.used[place] = self.values[place]
        return self.used[place]


@lru_cache(maxsize=POINTS_KEPT)
def point(network: Network, sizes: Sizes, seed: int) -> Point:
    """Return a random point with the truth.

    The loss is the sum, over all steps and all given symbols, of the symbol times a random direct
    gradient. What of a given symbol flows back through later steps is in its total gradient: each
    computed value has zeros added to it, by which the loss is differentiated.
    """
    size = dict(sizes)
    rng = np.random.default_rng([seed, *size.values()])
    drawn = _drawn(network, size, rng)
    values = _computed(network, size, drawn)
    direct = _direct(network, values, size["T"], rng)
    slices = _Slices((place, value.shape) for place, value in values.items())

    def loss(shifts: Any) -> Any:
        leaves = {place: value + slices.of(shifts, place) for place, value in drawn.items()}
        moved = _computed(network, size, leaves, slices.split(shifts))
        if network.loss is not None:
            return _total_loss(network, size, moved)
        terms = [
            (moved[Key("", key.name, key.labels), time] * weights).sum()
            for (key, time), weights in direct.items()
        ]
        return sum(terms[1:], terms[0])

    total = slices.split(grad(loss)(np.zeros(slices.size)))
    totals = {(Key("L", key.name, key.labels), time): g for (key, time), g in total.items()}
    return Point(size, {**values, **totals, **direct}, seed)


@lru_cache(maxsize=POINTS_KEPT)
def paths(network: Network, sizes: Sizes, seed: int) -> dict[tuple[TimedKey, TimedKey], Any]:
    """Return what each value's gradient gets through each equation that uses it directly.

    The keys are the places of the value and of what is computed from it.
    """
    at = point(network, sizes, seed)
    values = dict(at.values)
    equations, _dims = _settled_network(network)
    found: dict[tuple[TimedKey, TimedKey], Any] = {}
    for step in range(1, at.last + 1):
        for symbol, node in equations:
            key = key_of(symbol)
            local = _Local(values, at.sizes)
            evaluate(node, {TIME: step}, local)
            place = place_of(symbol, step)
            if step > 1 and place[1] is None:
                continue
            cotangent = values[Key("L", key.name, key.labels), place[1]]
            for used, gradient in _pulled_back(node, step, local, cotangent).items():
                found[used, place] = gradient
    return found


def _pulled_back(node: Node, step: int, local: _Local, cotangent: Any) -> dict[TimedKey, Any]:
    """Return the cotangents of what an equation uses, for the cotangent of what it computes."""
    slices = _Slices((place, value.shape) for place, value in local.used.items())

    def moved(shifts: Any) -> Any:
        leaves = {place: value + slices.of(shifts, place) for place, value in local.used.items()}
        return evaluate(node, {TIME: step}, _Forward(leaves, local.sizes))

    pull_back, _value = make_vjp(moved)(np.zeros(slices.size))
    return slices.split(pull_back(cotangent))


def place_of(symbol: Symbol, step: int) -> TimedKey:
    """Return the place of what an equation computes: it has no time if its symbol has none."""
    return key_of(symbol), step if symbol.time is not None else None


def _total_loss(network: Network, sizes: Mapping[str, int], values: dict[TimedKey, Any]) -> Any:
    """Return the loss that the task gives, added up over the steps if it has a time."""
    assert network.loss is not None  # noqa: S101 - asked for where there is one
    node = settled_loss(network)
    scope = _Forward(values, sizes)
    timed = any(key in network.sequences for key in keys_in(network.loss))
    steps = range(1, sizes["T"] + 1) if timed else (1,)
    return sum(evaluate(node, {TIME: step}, scope) * 1.0 for step in steps)


@lru_cache(maxsize=64)
def settled_loss(network: Network) -> Node:
    """Return the loss with its products settled.

    Raises:
        ShapeError: it is not a number.
    """
    _equations, dims = _settled_network(network)
    assert network.loss is not None  # noqa: S101 - asked for where there is one
    for reading in readings(network.loss, _probe(network, dims)):
        if shape_of(reading.value) is None:
            return reading.node
    raise ShapeError("a loss of", (2, 1), (1, 1))


def _drawn(
    network: Network, size: Mapping[str, int], rng: np.random.Generator
) -> dict[TimedKey, Any]:
    """Return random values of everything that the equations do not compute."""
    equations, dims = _settled_network(network)
    computed = {key_of(symbol) for symbol, _node in equations}
    values: dict[TimedKey, Any] = {}

    def draw(place: TimedKey, shape: Shape) -> None:
        spread = WEIGHT * rng.standard_normal(shape)
        if place[0] in network.one_hot:
            spread = np.eye(shape[0])[:, [rng.integers(shape[0])]]
        # A number may stand below a root.
        values[place] = LEAST_NUMBER + np.abs(spread) if shape == (1, 1) else spread

    for key, found in dims.items():
        shape = concrete(found, size)
        if key not in network.sequences:
            if key not in computed:
                draw((key, None), shape)
        elif key not in computed:
            for step in range(1, size["T"] + 1):
                draw((key, step), shape)
        elif key in network.inputs:
            draw((key, 0), shape)  # the state before the first step
    return values


def _computed(
    network: Network,
    sizes: Mapping[str, int],
    drawn: Mapping[TimedKey, Any],
    shifts: Mapping[TimedKey, Any] | None = None,
) -> dict[TimedKey, Any]:
    """Return the values of all equations at all steps, each with its shift added, and ``drawn``."""
    equations, _dims = _settled_network(network)
    values = dict(drawn)
    scope = _Forward(values, sizes)
    for step in range(1, sizes["T"] + 1):
        for symbol, node in equations:
            place = place_of(symbol, step)
            if step > 1 and place[1] is None:
                continue  # it is the same at all steps
            value = evaluate(node, {TIME: step}, scope)
            value = value if shape_of(value) is not None else value * scope.functions.ones(1, 1)
            values[place] = value if shifts is None else value + shifts[place]
    return values


def _direct(
    network: Network, values: Mapping[TimedKey, Any], last: int, rng: np.random.Generator
) -> dict[TimedKey, Any]:
    """Return the direct gradients of each step's own loss, which are random."""
    direct: dict[TimedKey, Any] = {}
    for symbol in network.given:
        key = key_of(symbol)
        name = Key("D", key.name, key.labels)
        if symbol.time is None:
            direct[name, None] = rng.standard_normal(values[key, None].shape)
            continue
        for step in range(1, last + 1):
            direct[name, step] = rng.standard_normal(values[key, step].shape)
        if (key, 0) in values:
            # The state before the first step has no loss of its own.
            direct[name, 0] = np.zeros(values[key, 0].shape)
    return direct
