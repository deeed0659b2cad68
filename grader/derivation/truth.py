"""The truth: values and gradients by torch autograd, in float64, at random points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .arithmetic import Shape
from .evaluate import evaluate
from .functions import Functions, torch_functions
from .limits import Budget
from .model import TIME, Dims, Key, Model, key_of
from .nodes import Gradient, Node, Symbol
from .reading import Probe, readings

PROBE_SIZES = {"D": 5, "H": 4}
POINTS_KEPT = 256
WEIGHT = 0.7  # the spread of weights and inputs: far from where tanh is flat
Sizes = tuple[tuple[str, int], ...]
Place = tuple[Key, int | None]


@dataclass(frozen=True)
class Point:
    """A random point: every value and gradient at every time, vectors as columns.

    ``values`` holds values (``of`` empty), total gradients (``L``) and the direct gradients of each
    step's own loss (``D``).
    """

    sizes: dict[str, int]
    values: Mapping[Place, Any]
    seed: int = 0

    @property
    def last(self) -> int:
        """The number of steps."""
        return self.sizes["T"]


def dims_of(model: Model) -> dict[Key, Dims]:
    """Return the dimensions of all values: those of computed ones follow from the equations."""
    return _settled_model(model)[1]


@lru_cache(maxsize=64)
def _settled_model(model: Model) -> tuple[tuple[tuple[Symbol, Node], ...], dict[Key, Dims]]:
    dims: dict[Key, Dims] = dict(model.inputs)
    names = {size: name for name, size in PROBE_SIZES.items()}

    def shape(key: Key) -> Shape | None:
        found = dims.get(key)
        return None if found is None else concrete(found, PROBE_SIZES)

    result: list[tuple[Symbol, Node]] = []
    for symbol, node in model.forward:
        reading = readings(node, Probe(shape, Budget()))[0]
        value = np.asarray(reading.value)
        dims[key_of(symbol)] = tuple(names[size] for size in value.shape if size > 1)
        result.append((symbol, reading.node))
    return tuple(result), dims


def concrete(dims: Dims, sizes: Mapping[str, int]) -> Shape:
    """Return the shape of a value: a vector is a column."""
    if len(dims) == 1:
        return sizes[dims[0]], 1
    return sizes[dims[0]], sizes[dims[1]]


class _Forward:
    """The scope of the forward equations."""

    def __init__(self, functions: Functions, values: dict[Place, Any], last: int) -> None:
        self.functions = functions
        self.budget = Budget()
        self.values = values
        self.last = last

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return a value that has been computed."""
        return self.values[key_of(node), time]


class _Local(_Forward):
    """The scope of one equation by itself: its leaves have gradients of their own."""

    def __init__(self, values: dict[Place, Any], leaves: dict[Place, Any], last: int) -> None:
        super().__init__(torch_functions(), values, last)
        self._leaves = leaves

    def leaf(self, node: Symbol | Gradient, time: int | None) -> Any:
        """Return a value, cut off from how it was computed."""
        place = (key_of(node), time)
        if place not in self._leaves:
            self._leaves[place] = self.values[place].detach().requires_grad_()
        return self._leaves[place]


@lru_cache(maxsize=POINTS_KEPT)
def point(model: Model, sizes: Sizes, seed: int) -> Point:
    """Return a random point with the truth.

    The loss is the sum, over all steps and all given symbols, of the symbol times a random direct
    gradient; what of a given symbol flows back through later steps is autograd's business.
    """
    values, direct = _graph(model, sizes, seed)
    return Point(dict(sizes), {**_as_numpy(values), **direct}, seed)


@lru_cache(maxsize=POINTS_KEPT)
def paths(model: Model, sizes: Sizes, seed: int) -> dict[tuple[Place, Place], Any]:
    """Return what each value's gradient gets through each equation that uses it directly.

    The keys are the places of the value and of what is computed from it.
    """
    values, _direct = _graph(model, sizes, seed)
    equations, _dims = _settled_model(model)
    found: dict[tuple[Place, Place], Any] = {}
    for step in range(1, dict(sizes)["T"] + 1):
        for symbol, node in equations:
            leaves: dict[Place, Any] = {}
            place = (key_of(symbol), step)
            scope = _Local(values, leaves, dict(sizes)["T"])
            value = evaluate(node, {TIME: step}, scope)
            (value * values[place].grad).sum().backward()
            for used, leaf in leaves.items():
                found[used, place] = leaf.grad.numpy()
    return found


@lru_cache(maxsize=POINTS_KEPT)
def _graph(model: Model, sizes: Sizes, seed: int) -> tuple[dict[Place, Any], dict[Place, Any]]:
    """Return all values with their gradients, and the direct gradients."""
    import torch

    equations, dims = _settled_model(model)
    size = dict(sizes)
    rng = np.random.default_rng([seed, *size.values()])
    values: dict[Place, Any] = {}

    def draw(shape: Shape) -> Any:
        array = WEIGHT * rng.standard_normal(shape)
        return torch.tensor(array, dtype=torch.float64, requires_grad=True)

    computed = {key_of(symbol) for symbol, _node in equations}
    for key, found in dims.items():
        shape = concrete(found, size)
        if key not in model.sequences:
            values[key, None] = draw(shape)
            continue
        if key in computed:
            if key in model.inputs:
                values[key, 0] = draw(shape)  # the state before the first step
            continue
        for step in range(1, size["T"] + 1):
            values[key, step] = draw(shape)
    scope = _Forward(torch_functions(), values, size["T"])
    for step in range(1, size["T"] + 1):
        for symbol, node in equations:
            value = evaluate(node, {TIME: step}, scope)
            value.retain_grad()
            values[key_of(symbol), step] = value
    loss, direct = _loss(model, values, size["T"], rng)
    loss.backward()
    return values, direct


def _loss(
    model: Model, values: Mapping[Place, Any], last: int, rng: np.random.Generator
) -> tuple[Any, dict[Place, Any]]:
    import torch

    loss: Any = 0.0
    direct: dict[Place, Any] = {}
    for symbol in model.given:
        key = key_of(symbol)
        for step in range(1, last + 1):
            value = values[key, step]
            weights = rng.standard_normal(tuple(value.shape))
            direct[Key("D", key.name, key.labels), step] = weights
            loss = loss + (value * torch.tensor(weights)).sum()
        if (key, 0) in values:
            # The state before the first step has no loss of its own.
            direct[Key("D", key.name, key.labels), 0] = np.zeros(tuple(values[key, 0].shape))
    return loss, direct


def _as_numpy(values: Mapping[Place, Any]) -> dict[Place, Any]:
    result: dict[Place, Any] = {}
    for (key, time), value in values.items():
        result[key, time] = value.detach().numpy()
        gradient = value.grad
        if gradient is not None:
            result[Key("L", key.name, key.labels), time] = gradient.numpy()
    return result
