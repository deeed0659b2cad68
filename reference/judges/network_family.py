"""All networks of the family that arrays of a model can make: means, sums, RNNs, LSTMs, GRUs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import network_parts as parts
from .network_parts import Blocks, ModelArray
from .networks import GRU_GATES, LSTM_GATES, Array, Cell, Layer, Network, Pool, Recurrent, relu

BAG, AVERAGE, RNN, LSTM = "bag_of_words", "average", "rnn", "lstm"
CELLS = {1: "vanilla RNN", GRU_GATES: "GRU", LSTM_GATES: "LSTM"}
POOLS = ("mean", "sum", "max")
OTHER_USES = ("mean", "max")


@dataclass(frozen=True)
class Candidate:
    """A network that one-word sentences can rule out, and those that begin like it.

    After one word the recurrent weights have not been used: ``whole`` makes the networks that
    differ in them.
    """

    first: Network
    whole: Callable[[], Iterator[Network]]


@dataclass(frozen=True)
class Around:
    """Whether something stands between the words and what reads them, and before the output."""

    before: bool
    after: bool


PLAIN_FIRST = (
    *(Around(before=False, after=False), Around(before=True, after=False)),
    *(Around(before=False, after=True), Around(before=True, after=True)),
)


@dataclass(frozen=True)
class WordTable:
    """A table of word vectors: (V, d), and the words of its rows where they are known.

    Behind the rows of known words is a row of zeros, for all others.
    """

    used: tuple[ModelArray, ...]
    rows: Array
    known: tuple[str, ...] | None = None


def found_tables(
    arrays: parts.Arrays, least: int, given: tuple[Sequence[str], Array] | None
) -> Iterator[WordTable]:
    """Yield the tables of a model, then the vectors that it was given, which it may not keep."""
    for array, rows in parts.tables(arrays, least):
        yield WordTable((array,), rows)
    if given is not None:
        words, matrix = given
        rows = np.asarray(matrix, dtype=np.float64)
        zero = np.zeros((1, rows.shape[1]))
        yield WordTable((), np.concatenate([rows, zero]), tuple(words))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        yield WordTable((), np.concatenate([rows / np.maximum(lengths, 1e-12), zero]), tuple(words))


def pooled(table: WordTable, arrays: parts.Arrays, around: Around) -> Iterator[Candidate]:
    """Yield networks that are blind to the order of words."""
    rest, size = parts.without(arrays, table.used), table.rows.shape[1]
    for used, before, width in parts.befores(rest, size, plain=not around.before):
        for head in parts.heads(parts.without(rest, used), width, plain=not around.after):
            for how in POOLS:
                bag = how == "sum" and table.rows.shape[1] <= parts.OUTPUTS
                words = "a bag of words" if bag else f"a {how} of embeddings"
                named = BAG if bag else AVERAGE if how == "mean" else ""
                network = Network(table.rows, table.known, before, Pool(how), head, words, named)
                yield Candidate(network, lambda network=network: iter([network]))


def of_torch(table: WordTable, arrays: parts.Arrays, around: Around) -> Iterator[Candidate]:
    """Yield networks around recurrent modules of torch, in every use of their states."""
    rest, size = parts.without(arrays, table.used), table.rows.shape[1]
    for used, before, width in parts.befores(rest, size, plain=not around.before):
        left = parts.without(rest, used)
        for taken, cells, backward in parts.torch_cells(left, width):
            free = parts.without(left, taken)
            for reads in _uses(cells, backward):
                wide = cells[0].size * (2 if reads.backward else 1)
                for head in parts.heads(free, wide, plain=not around.after):
                    network = _network(table, before, reads, head)
                    yield Candidate(network, lambda network=network: iter([network]))
            if around == PLAIN_FIRST[0] and not backward:
                yield from _attending(Rows(table, before, tuple(free)), tuple(cells))


def _attending(rows: Rows, cells: tuple[Cell, ...]) -> Iterator[Candidate]:
    """Yield networks with attention over the states of a cell."""
    size = cells[-1].size
    for used, scores in parts.attentions(rows.left, size):
        for head in parts.heads(parts.without(rows.left, used), size, plain=True):
            reads = Recurrent(cells, "attention", scores=scores)
            network = _network(rows.table, rows.before, reads, head)
            yield Candidate(network, lambda network=network: iter([network]))


def _uses(cells: list[Cell], backward: list[Cell]) -> Iterator[Recurrent]:
    for squash in (np.tanh, relu)[: 1 if cells[0].gates > 1 else 2]:
        both = tuple(_squashed(cell, squash) for cell in cells)
        back = tuple(_squashed(cell, squash) for cell in backward)
        if back:
            if len(both) == 1:
                yield Recurrent(both, backward=back)
                yield Recurrent(both, backward=back, at_end=True)
                yield from (Recurrent(both, use, back) for use in OTHER_USES)
                yield Recurrent(both)
            continue
        yield Recurrent(both)
        yield Recurrent(both, alone=True)
        yield from (Recurrent(both, use) for use in OTHER_USES)


def _squashed(cell: Cell, squash: Callable[[Array], Array]) -> Cell:
    return Cell(cell.gates, cell.inputs, cell.hidden, cell.bias, cell.hidden_bias, squash)


def of_own(table: WordTable, arrays: parts.Arrays, around: Around) -> Iterator[Candidate]:
    """Yield networks around cells that a student wrote.

    Those with more gates come first: any one of their matrices could be that of a vanilla RNN.
    """
    rest, size = parts.without(arrays, table.used), table.rows.shape[1]
    for used, before, width in parts.befores(rest, size, plain=not around.before):
        left = parts.without(rest, used)
        for gates in (LSTM_GATES, GRU_GATES, 1):
            for found in parts.blocks(left, gates, width):
                rows = Rows(table, before, tuple(left))
                yield from _around_cells(rows, found, gates, around)


@dataclass(frozen=True)
class Rows:
    """A table, what happens to its rows, and the arrays that are left."""

    table: WordTable
    before: Layer
    left: tuple[ModelArray, ...]


def _around_cells(rows: Rows, found: Blocks, gates: int, around: Around) -> Iterator[Candidate]:
    """Yield the networks that some weights of a cell make, with every bias, order and head."""
    free = parts.without(rows.left, found.used)
    for used, biases in parts.cell_biases(free, gates, found.size):
        rest = parts.without(free, used)
        ends = list(parts.heads(rest, found.size, plain=not around.after))
        for order in itertools.permutations(range(gates)):
            inputs, bias = (np.concatenate([b[g] for g in order]) for b in (found.inputs, biases))
            first = Cell(gates, inputs, next(_hidden(found, order)), bias)
            for cell in (first, *_variants(first)):
                for head in ends:
                    yield _own_candidate(rows, cell, found, order, head)


def _variants(cell: Cell) -> Iterator[Cell]:
    """Yield what differs after one word already: ReLU in place of tanh, z of a GRU turned."""
    if cell.gates == 1:
        yield replace(cell, squash=relu)
    if cell.gates == GRU_GATES:
        yield replace(cell, is_turned=True)


def _own_candidate(
    rows: Rows, cell: Cell, found: Blocks, order: tuple[int, ...], head: Layer
) -> Candidate:
    def whole() -> Iterator[Network]:
        for hidden in _hidden(found, order):
            for resets_first in (False, True)[: 2 if cell.gates == GRU_GATES else 1]:
                changed = replace(cell, hidden=hidden, resets_first=resets_first)
                for reads in (
                    Recurrent((changed,)),
                    Recurrent((changed,), alone=True),
                    *(Recurrent((changed,), use) for use in OTHER_USES),
                ):
                    yield _network(rows.table, rows.before, reads, head)

    return Candidate(_network(rows.table, rows.before, Recurrent((cell,)), head), whole)


def _hidden(found: Blocks, order: tuple[int, ...]) -> Iterator[Array]:
    """Yield the recurrent weights: in the order of the others first, turned, then in any order."""
    orders = [order, *(p for p in itertools.permutations(order) if p != order)]
    for one in orders:
        for turned in (False, True):
            chosen = [found.hidden[g].T if turned else found.hidden[g] for g in one]
            yield np.concatenate(chosen)


def _network(table: WordTable, before: Layer, reads: Recurrent, head: Layer) -> Network:
    kind = reads.cells[0].gates
    plain = reads.use == "last" and not reads.backward and not reads.alone
    named = {1: RNN, LSTM_GATES: LSTM}.get(kind, "") if plain else ""
    return Network(table.rows, table.known, before, reads, head, _words(reads), named)


def _words(reads: Recurrent) -> str:
    """Return what a recurrent network is called: "a vanilla RNN with 50 hidden units"."""
    cell = reads.cells[0]
    name = CELLS[cell.gates]
    name = f"bidirectional {name}" if reads.backward else name
    article = "an" if name[0] in "aeiouL" else "a"
    layers = f"{len(reads.cells)} layers of " if len(reads.cells) > 1 else ""
    text = f"{article} {name} with {layers}{cell.size} hidden units"
    text += " in each direction" if reads.backward else ""
    text += " and ReLU in place of tanh" if cell.squash is relu else ""
    text += " that reads from right to left" if reads.alone else ""
    if reads.use == "attention":
        return f"attention over all states of {text}"
    return text if reads.use == "last" else f"the {reads.use} of all states of {text}"
