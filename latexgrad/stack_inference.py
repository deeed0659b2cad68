r"""Stacks whose names the answer uses without saying what they are made of: ``W [h; x]``.

What stands before a vector of blocks has blocks in the same order. A name without a gate has one
block for each gate, in the order of the gates in another stack; if there is none, all are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations, product

from .limits import UnreadableError
from .network import Key, Network, gate_variables, key_of, keys_in
from .nodes import Blocks, Gradient, Index, Node, Product, Sum, Symbol, Transpose, parts, walk
from .statements import Statement
from .symbol_words import known, known_key

Name = tuple[str, tuple[str, ...]]
MAX_NODES = 3000  # of an answer in which such names are looked for; honest ones have some 500
TASKS_KEPT = 32


@dataclass(frozen=True)
class Stack:
    """A name for blocks: ``time`` is that of the name where it is defined."""

    time: Index | None
    blocks: Blocks


@dataclass(frozen=True)
class _Term:
    """A weight and the value that it multiplies, for one gate or for none."""

    weight: Symbol
    value: Key
    gate: str


class StackInference:
    """Finds names that must be stacks, and what they may be made of."""

    def __init__(self, statements: Sequence[Statement], network: Network) -> None:
        self._network = network
        self._others = {o: gate for gate, names in network.gates.items() for o in (gate, *names)}
        self._terms = list(_linear_terms(network))
        sides = [s for one in statements for s in one.sides if not isinstance(s, UnreadableError)]
        self._nodes = [node for side in sides for node in walk(side)]
        vectors = [tuple(vector) for node in self._nodes if (vector := self._vector(node))]
        self._vectors = list(dict.fromkeys(vectors))
        self._targets = {
            (side.name, side.labels)
            for one in statements
            for side in one.sides
            if isinstance(side, Symbol)
        }
        self._orders = self._stated_orders()

    def _stated_orders(self) -> list[tuple[str, ...]]:
        """Return the orders of gates that are stated: those of values before those of gradients."""
        found: dict[bool, dict[tuple[str, ...], None]] = {True: {}, False: {}}
        by = [node.by for node in self._nodes if isinstance(node, Gradient)]
        own_values = {(one.name, one.labels) for one in by if isinstance(one, Symbol)}
        for node in self._nodes:
            order = self._order(node)
            if order:
                values = all(
                    isinstance(one, Symbol)
                    and (known(one, self._network) or (one.name, one.labels) in own_values)
                    for one in cells_of(node)
                )
                found[values][tuple(order)] = None
        return list(found[True] or found[False])

    def proposals(self) -> Iterator[dict[Name, Stack]]:
        """Yield what the names may be made of."""
        names = list(self._unknown())
        if not names or len(self._nodes) > MAX_NODES:
            return
        vectors = self._vectors or [()]
        orders: Sequence[tuple[str, ...]] = self._orders
        if not orders and all(self._has_gate(name) for name in names):
            orders = [tuple(self._network.gates)]
        orders = orders or list(permutations(self._network.gates))
        for order, vector in product(orders, vectors):
            found = {
                (name.name, name.labels): Stack(name.time, blocks)
                for name in names
                if (blocks := self._blocks(name, order, vector)) is not None
            }
            if not found:
                return
            yield found

    def _unknown(self) -> Iterator[Symbol]:
        """Yield names that the assignment does not know and that may be stacks."""
        seen: set[Name] = set()
        candidates = [*self._before_vectors(), *self._nodes]
        beside = len(candidates) - len(self._nodes)
        for place, node in enumerate(candidates):
            if isinstance(node, Gradient) and node.of in ("L", "D"):
                node = node.by  # noqa: PLW2901
                beside_vector = bool(self._vectors)
            else:
                beside_vector = place < beside
            if not isinstance(node, Symbol) or (node.name, node.labels) in seen:
                continue
            if known(node, self._network):
                continue
            if (node.name, node.labels) in self._targets and node.time is None:
                continue
            gated = self._with_gate(node, next(iter(self._network.gates), ""))
            if gated or (beside_vector and node.time is None):
                seen.add((node.name, node.labels))
                yield node

    def _before_vectors(self) -> Iterator[Node]:
        for node in self._nodes:
            if not isinstance(node, Product):
                continue
            for first, second in zip(node.factors, node.factors[1:], strict=False):
                if self._vector(second):
                    yield first.of if isinstance(first, Transpose) else first

    def _vector(self, node: Node) -> list[Key]:
        """Return the values that a vector is put together from, if weights multiply them."""
        node = node.of if isinstance(node, Transpose) else node
        if not isinstance(node, Blocks) or isinstance(next(iter(parts(node))), Gradient):
            return []
        cells = [cell.of if isinstance(cell, Transpose) else cell for cell in parts(node)]
        keys = [known_key(cell, self._network) for cell in cells if isinstance(cell, Symbol)]
        found = [key for key in keys if key in {term.value for term in self._terms}]
        return found if len(found) == len(cells) else []

    def _order(self, node: Node) -> list[str]:
        """Return the gates that the blocks of a node belong to, if each gate has one."""
        if not isinstance(node, Blocks) or not self._network.gates:
            return []
        if 1 not in (len(node.rows), len(node.rows[0])):
            cells: Sequence[Node] = [row[0] for row in node.rows]
        else:
            cells = parts(node)
        found = [self._gate(cell) for cell in cells]
        whole = set(found) == {*self._network.gates} and len(found) == len(self._network.gates)
        return [gate for gate in found if gate is not None] if whole else []

    def _gate(self, node: Node) -> str | None:
        """Return the gate of a name; that of a formula is the only one that its names have."""
        while isinstance(node, Transpose | Gradient):
            node = node.of if isinstance(node, Transpose) else node.by
        if isinstance(node, Symbol):
            gates = [self._others[label] for label in node.labels if label in self._others]
            own = known_key(node, self._network)
            if not gates and own is not None and own.name in self._network.gates:
                gates = [own.name]
            if not gates and " " in node.name:  # \hat f is one of f's values
                gates = [gate for gate in [self._others.get(node.name.split(" ")[-1])] if gate]
            return gates[0] if len(gates) == 1 else None
        if isinstance(node, Blocks):
            gates_in = {self._gate(cell) for cell in parts(node)}
            return gates_in.pop() if len(gates_in) == 1 else None
        return None

    def _with_gate(self, symbol: Symbol, gate: str) -> bool:
        """Say whether the assignment has a value of this name for a gate."""
        if not gate or any(label in self._others for label in symbol.labels):
            return False
        if gate_variables(symbol.labels, self._network.gates):
            return False
        labels = tuple(sorted((*symbol.labels, gate)))
        key = known_key(replace(symbol, labels=labels), self._network)
        timed = symbol.time is not None  # a parameter has no time: W^{(k)} is that of a gate
        return key is not None and (key in self._network.sequences or not timed)

    def _blocks(self, name: Symbol, order: Sequence[str], vector: Sequence[Key]) -> Blocks | None:
        if self._network.gates and self._with_gate(name, order[0]):
            cells = [replace(name, labels=tuple(sorted((*name.labels, g)))) for g in order]
            return Blocks(tuple((cell,) for cell in cells), loose=True)
        if not vector or name.time is not None:
            return None
        gates = self._gates_of(name)
        if gates or not self._network.gates:
            return self._row(gates[0] if gates else "", vector)
        rows = [self._row(gate, vector) for gate in order]
        made = [row.rows[0] for row in rows if row is not None]
        return Blocks(tuple(made), loose=True) if len(made) == len(rows) else None

    def _gates_of(self, name: Symbol) -> list[str]:
        gates = [label for label in name.labels if label in self._others]
        return gates + gate_variables(name.labels, self._network.gates)

    def _has_gate(self, name: Symbol) -> bool:
        return bool(self._gates_of(name)) or not self._network.gates

    def _row(self, gate: str, vector: Sequence[Key]) -> Blocks | None:
        """Return the weights of a vector's values beside each other."""
        some = self._others.get(gate, next(iter(self._network.gates), ""))
        weights = {term.value: term.weight for term in self._terms if term.gate == some}
        if not all(key in weights for key in vector):
            return None
        row = [
            replace(weight, labels=tuple(sorted(gate if x == some else x for x in weight.labels)))
            for weight in (weights[key] for key in vector)
        ]
        return Blocks((tuple(row),), loose=True)


def _linear_terms(network: Network) -> Iterator[_Term]:
    """Yield the terms of the equations that are a weight times a value."""
    for _symbol, node in network.forward:
        for term in node.terms if isinstance(node, Sum) else (node,):
            match term:
                case Product(factors=(Symbol() as weight, Symbol() as value), operators=("",)):
                    gates = [label for label in weight.labels if label in network.gates]
                    yield _Term(weight, key_of(value), gates[0] if gates else "")
                case _:
                    pass


@lru_cache(maxsize=TASKS_KEPT)
def used_twice(network: Network) -> frozenset[Key]:
    """Return the values that weights multiply and that are used in another way as well."""
    within = Counter(term.value for term in _linear_terms(network))
    everywhere = Counter(key for _symbol, node in network.forward for key in keys_in(node))
    return frozenset(key for key, count in within.items() if everywhere[key] != count)


def cells_of(node: Node) -> list[Node]:
    """Return what blocks within blocks hold."""
    if isinstance(node, Blocks):
        return [cell for part in parts(node) for cell in cells_of(part)]
    return [node]
