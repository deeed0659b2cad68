"""Which arrays of a model could be which part of a network: by their shapes, in every arrangement.

A student's own cell keeps its gates in one array or in four, transposed or not, for the row and the
state together or apart, in any order. There are few enough arrangements to try them all; values
decide. Where arrays have the names that torch gives them (``weight_ih_l0``), these come first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .networks import (
    GRU_GATES,
    LSTM_GATES,
    Array,
    Cell,
    Layer,
    affine,
    batch_norm,
    chain,
    identity,
    layer_norm,
    relu,
    sigmoid,
)

MATRIX, STACKED = 2, 3  # axes
GATES = (GRU_GATES, LSTM_GATES)
LEAST_ROWS = 20  # of a table of words
MOST_BIASES = 4  # arrays of one size among which the biases of a cell are looked for
OUTPUTS = 2  # one per label; their difference is the log odds
SQUASHES = (identity, relu, np.tanh, sigmoid)
TORCH_CELL = re.compile(r"(.*\.|)(weight|bias)_(ih|hh)(?:_l(\d+))?(_reverse)?$")


@dataclass(frozen=True)
class ModelArray:
    """One array of a model: vectors and matrices only; axes of length one are gone."""

    index: int
    name: str
    values: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """One or two sizes; (1,) for a number."""
        return self.values.shape


Arrays = Sequence[ModelArray]


def model_arrays(found: Mapping[str, Array]) -> list[ModelArray]:
    """Return the vectors and matrices of a model, in the order in which it registered them."""
    kept = []
    for name, values in found.items():
        array = np.asarray(values)
        if array.dtype.kind not in "fiu" or not array.size or not np.isfinite(array).all():
            continue
        squeezed = np.atleast_1d(np.squeeze(array.astype(np.float64)))
        # A weight for each gate in one array, (4, H, k), is an array for each gate.
        parts = (
            list(squeezed) if squeezed.ndim == STACKED and len(squeezed) in GATES else [squeezed]
        )
        if parts[0].ndim <= MATRIX:
            kept += [ModelArray(len(kept) + i, name, part) for i, part in enumerate(parts)]
    return kept


def without(arrays: Arrays, used: Sequence[ModelArray]) -> list[ModelArray]:
    """Return the arrays that are not used yet."""
    taken = {array.index for array in used}
    return [array for array in arrays if array.index not in taken]


def matrices(arrays: Arrays, rows: int, columns: int) -> Iterator[tuple[ModelArray, Array]]:
    """Yield each array that can be a matrix of this shape; a square one in both ways."""
    for array in arrays:
        values = np.atleast_2d(array.values)
        if values.shape == (rows, columns):
            yield array, values
        if values.shape == (columns, rows):
            yield array, values.T


def vectors(arrays: Arrays, size: int) -> Iterator[ModelArray]:
    """Yield each vector of a size."""
    return (array for array in arrays if array.shape == (size,))


def tables(arrays: Arrays, least: int) -> Iterator[tuple[ModelArray, Array]]:
    """Yield what can be a table (V, d) with at least so many rows, largest first."""
    least = max(least, LEAST_ROWS)
    for array in sorted(arrays, key=lambda array: -array.values.size):
        values = array.values if array.values.ndim == 2 else array.values[:, None]
        if values.shape[0] >= least:
            yield array, values
        if values.shape[1] >= least:
            yield array, values.T


def heads(arrays: Arrays, size: int, *, plain: bool) -> Iterator[Layer]:
    """Yield what can make the log odds of a vector: linear if ``plain``, else in other ways.

    These are a nonlinearity, a layer norm, a hidden layer. A batch norm is as plain as a linear
    layer.
    """
    if plain:
        yield from _outputs(arrays, size)
        for used, norm in _batch_norms(arrays, size):  # a name says that it is one
            for output in _outputs(without(arrays, used), size):
                yield chain(norm, output)
        return
    for squash in SQUASHES[1:3]:
        for output in _outputs(arrays, size):
            yield chain(squash, output)
    for used, norm in _layer_norms(arrays, size):
        for output in _outputs(without(arrays, used), size):
            yield chain(norm, output)
    yield from _with_hidden_layer(arrays, size)


def _with_hidden_layer(arrays: Arrays, size: int) -> Iterator[Layer]:
    """Yield a linear layer, a nonlinearity and an output, perhaps with a batch norm between."""
    for used, hidden, width in _linear(arrays, size):
        rest = without(arrays, used)
        for squash in SQUASHES:
            for output in _outputs(rest, width):
                yield chain(hidden, squash, output)
            for more, norm in _batch_norms(rest, width):
                for output in _outputs(without(rest, more), width):
                    yield chain(hidden, norm, squash, output)
                    yield chain(hidden, squash, norm, output)


def attentions(arrays: Arrays, size: int) -> Iterator[tuple[list[ModelArray], Layer]]:
    """Yield what can score the states of a cell: v h, or v tanh(W h + b) (Bahdanau et al., 2015).

    A bias beside v would not show in the softmax.
    """
    for array, weight in matrices(arrays, 1, size):
        yield [array], affine(weight)
    for used, hidden, width in _linear(arrays, size):
        for array, weight in matrices(without(arrays, used), 1, width):
            yield [*used, array], chain(hidden, np.tanh, affine(weight))


def _layer_norms(arrays: Arrays, size: int) -> Iterator[tuple[list[ModelArray], Layer]]:
    """Yield the layer norms that any two vectors can make."""
    for scale, shift in itertools.pairwise(vectors(arrays, size)):
        yield [scale, shift], layer_norm(scale.values, shift.values)


def _batch_norms(arrays: Arrays, size: int) -> Iterator[tuple[list[ModelArray], Layer]]:
    """Yield the batch norms of torch over so many numbers."""
    named = {array.name: array for array in vectors(arrays, size)}
    for name, mean in named.items():
        prefix = name.removesuffix("running_mean")
        variance = named.get(f"{prefix}running_var")
        if prefix == name or variance is None or (variance.values < 0).any():
            continue
        scale, shift = named.get(f"{prefix}weight"), named.get(f"{prefix}bias")
        if scale is None or shift is None:
            yield [mean, variance], batch_norm(mean.values, variance.values)
        else:
            layer = batch_norm(mean.values, variance.values, scale.values, shift.values)
            yield [scale, shift, mean, variance], layer


def _outputs(arrays: Arrays, size: int) -> Iterator[Layer]:
    """Yield linear layers to one output, or to two whose difference counts."""
    if size == 1:
        yield from (affine(np.eye(1), bias) for bias in _biases(arrays, 1))
    if size == OUTPUTS:
        yield from _differences(np.eye(OUTPUTS), arrays)
    for array, weight in matrices(arrays, 1, size):
        for bias in _biases(without(arrays, [array]), 1):
            yield affine(weight, bias)
    for array, weight in matrices(arrays, OUTPUTS, size):
        yield from _differences(weight, without(arrays, [array]))


def _differences(weight: Array, arrays: Arrays) -> Iterator[Layer]:
    for bias in _biases(arrays, OUTPUTS):
        both = np.broadcast_to(bias, (OUTPUTS,))
        for sign in (1.0, -1.0):  # which of the two outputs stands for label 1
            yield affine(sign * (weight[1:] - weight[:1]), sign * (both[1] - both[0]))


def _biases(arrays: Arrays, size: int) -> Iterator[Array]:
    """Yield each vector of a size, last ones first, then none."""
    yield from (array.values for array in reversed(list(vectors(arrays, size))))
    yield np.zeros(size)


def _linear(arrays: Arrays, size: int) -> Iterator[tuple[list[ModelArray], Layer, int]]:
    """Yield linear layers to more than two outputs: the arrays, the layer, its width."""
    for array in arrays:
        if array.values.ndim != 2 or size not in array.shape:
            continue
        for weight in (array.values, array.values.T):
            if weight.shape[1] != size or weight.shape[0] <= OUTPUTS:
                continue
            width = weight.shape[0]
            for bias in vectors(without(arrays, [array]), width):
                yield [array, bias], affine(weight, bias.values), width
            yield [array], affine(weight), width


def befores(
    arrays: Arrays, size: int, *, plain: bool
) -> Iterator[tuple[list[ModelArray], Layer, int]]:
    """Yield what can happen to a row before it is read: the arrays, the layer, its width.

    Nothing or a batch norm if ``plain``, else a layer norm or a linear layer.
    """
    if plain:
        yield [], identity, size
        for used, norm in _batch_norms(arrays, size):
            yield used, norm, size
        return
    for used, norm in _layer_norms(arrays, size):
        yield used, norm, size
    for used, layer, width in _linear(arrays, size):
        for squash in SQUASHES[:3]:
            yield used, chain(layer, squash), width


def torch_cells(
    arrays: Arrays, size: int
) -> Iterator[tuple[list[ModelArray], list[Cell], list[Cell]]]:
    """Yield the layers of each recurrent module of torch, and those that read backward."""
    modules: dict[str, dict[tuple[bool, int], dict[str, ModelArray]]] = {}
    for array in arrays:
        if (match := TORCH_CELL.match(array.name)) is not None:
            prefix, what, side, layer, reverse = match.groups()
            place = (bool(reverse), int(layer or 0))
            modules.setdefault(prefix, {}).setdefault(place, {})[f"{what}_{side}"] = array
    for found in modules.values():
        used = [array for parts in found.values() for array in parts.values()]
        try:
            both = [
                [_torch_cell(found[place]) for place in sorted(found) if place[0] == reverse]
                for reverse in (False, True)
            ]
        except (KeyError, ValueError):
            continue  # other arrays under these names
        if both[0] and both[0][0].inputs.shape[1] == size:
            yield used, both[0], both[1]


def _torch_cell(parts: Mapping[str, ModelArray]) -> Cell:
    inputs, hidden = parts["weight_ih"].values, parts["weight_hh"].values
    inputs, hidden = np.atleast_2d(inputs), np.atleast_2d(hidden)
    gates, size = hidden.shape[0] // hidden.shape[1], hidden.shape[1]
    fits = hidden.shape[0] == inputs.shape[0] == gates * size
    if not fits or gates not in (1, GRU_GATES, LSTM_GATES):
        raise ValueError("not the arrays of a cell")
    bias = parts["bias_ih"].values if "bias_ih" in parts else np.zeros(gates * size)
    other = parts["bias_hh"].values if "bias_hh" in parts else np.zeros(gates * size)
    if gates == GRU_GATES:
        of_gates = np.concatenate([other[: 2 * size], np.zeros(size)])
        return Cell(gates, inputs, hidden, bias + of_gates, other[2 * size :])
    return Cell(gates, inputs, hidden, bias + other)


@dataclass(frozen=True)
class Blocks:
    """Arrays that can be the weights of a cell, one block per gate, in the order of the model."""

    used: tuple[ModelArray, ...]
    inputs: tuple[Array, ...]  # (H, k) each
    hidden: tuple[Array, ...]  # (H, H) each

    @property
    def size(self) -> int:
        """The number of hidden units, H."""
        return self.hidden[0].shape[0]


def blocks(arrays: Arrays, gates: int, size: int) -> Iterator[Blocks]:
    """Yield the weights of cells with so many gates that read rows of ``size`` numbers."""
    yield from _together(arrays, gates, size)
    for hidden in _square_groups(arrays, gates):
        units = hidden[1][0].shape[0]
        for inputs in _groups(without(arrays, hidden[0]), gates, units, size):
            yield Blocks((*inputs[0], *hidden[0]), inputs[1], hidden[1])
    if gates > 1:
        yield from _alternating(arrays, gates, size)


Group = tuple[list[ModelArray], tuple[Array, ...]]


def _groups(arrays: Arrays, gates: int, units: int, columns: int) -> Iterator[Group]:
    """Yield one array with all gates, or one array for each."""
    for array, values in matrices(arrays, gates * units, columns):
        yield [array], tuple(np.split(values, gates))
    if gates > 1:
        for turned in (False, True):
            shape = (columns, units) if turned else (units, columns)
            alike = [array for array in arrays if array.shape == shape]
            for first in range(0, len(alike) - gates + 1, gates):
                group = alike[first : first + gates]
                yield group, tuple(a.values.T if turned else a.values for a in group)


def _square_groups(arrays: Arrays, gates: int) -> Iterator[Group]:
    """Yield what can be the recurrent weights, (H, H) for each gate."""
    sizes = {min(array.shape) for array in arrays if array.values.ndim == 2}
    for units in sorted(sizes):
        yield from _groups(arrays, gates, units, units)


def _together(arrays: Arrays, gates: int, size: int) -> Iterator[Blocks]:
    """Yield weights of [x, h] or [h, x] in one array, (gates * H, k + H), or one for each gate."""
    widths = {n for a in arrays if a.values.ndim == 2 for n in a.shape if n > size}
    for width in sorted(widths):
        units = width - size
        for used, group in _groups(arrays, gates, units, width):
            first = tuple(block[:, :size] for block in group), tuple(b[:, size:] for b in group)
            last = tuple(block[:, units:] for block in group), tuple(b[:, :units] for b in group)
            for inputs, hidden in (first, last):
                yield Blocks(tuple(used), inputs, hidden)


def _alternating(arrays: Arrays, gates: int, size: int) -> Iterator[Blocks]:
    """Yield square arrays that alternate: the row's and the state's of each gate (H = k)."""
    for turned in (False, True):
        alike = [array for array in arrays if array.shape == (size, size)]
        if len(alike) != 2 * gates:
            continue
        values = [array.values.T if turned else array.values for array in alike]
        for first in (0, 1):
            yield Blocks(tuple(alike), tuple(values[first::2]), tuple(values[1 - first :: 2]))


def cell_biases(arrays: Arrays, gates: int, units: int) -> Iterator[tuple[Arrays, list[Array]]]:
    """Yield biases for a cell: the arrays that they use, and a vector (H,) per gate."""
    whole = list(vectors(arrays, gates * units))
    if gates > 1:
        whole += [a for a in arrays if a.shape == (gates, units)]
    whole = whole[:MOST_BIASES]
    for count in range(min(len(whole), 2), 0, -1):
        for chosen in itertools.combinations(whole, count):
            yield chosen, np.split(sum((a.values.ravel() for a in chosen), np.zeros(1)), gates)
    each = list(vectors(arrays, units)) if gates > 1 else []
    if len(each) >= 2 * gates:
        both = each[: 2 * gates]
        yield both, [both[g].values + both[gates + g].values for g in range(gates)]
        yield both, [both[2 * g].values + both[2 * g + 1].values for g in range(gates)]
    if len(each) >= gates:
        for first in sorted({0, len(each) - gates}):  # the output's weights may come before them
            chosen = each[first : first + gates]
            yield chosen, [array.values for array in chosen]
    yield [], [np.zeros(units)] * gates
