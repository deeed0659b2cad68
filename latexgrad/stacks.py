r"""Vectors and matrices that the student puts together: ``z_t = [h_{t-1}; x_t]``, one big ``W``.

Their names are replaced by their blocks, and gradients by them by the gradients by their blocks. A
name is what the answer says that it is; ``stack_inference`` finds out what else it may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from .limits import Budget, UnreadableError
from .network import STACKED, Network
from .nodes import (
    Blocks,
    Gradient,
    Index,
    Node,
    Symbol,
    Transpose,
    parts,
    walk,
    with_parts,
)
from .stack_inference import Name, Stack, StackInference, cells_of, used_twice
from .statements import Statement
from .symbol_words import known, known_key

MAX_ORDERS = 24  # of gates and of the parts of a vector, that are tried
SEVERAL = 2
MAX_EXPANDED = 50_000  # parts of formulas with blocks in them; honest answers have some thousand


@dataclass(frozen=True)
class Stacked:
    """Statements with the names of stacks replaced. ``inferred`` are names that are not defined."""

    own: list[Statement]
    earlier: list[Statement]
    inferred: frozenset[str] = frozenset()


def stacked(
    own: Sequence[Statement], earlier: Sequence[Statement], network: Network
) -> Iterator[Stacked]:
    """Yield the statements with blocks in place of names, one for each order that may be meant.

    A list such as ``[h, x]^T`` is first taken for a column, as which it is mostly meant.
    """
    upright = [[_with_columns(found, network) for found in both] for both in (own, earlier)]
    if upright[0] != list(own):
        yield from islice(_with_blocks(upright[0], upright[1], network), MAX_ORDERS)
    yield from _with_blocks(own, earlier, network)


def _with_columns(statement: Statement, network: Network) -> Statement:
    """Return a statement with the sides upright that are transposed lists of vectors."""
    sides = tuple(
        side.of
        if isinstance(side, Transpose)
        and isinstance(side.of, Blocks)
        and side.of.loose
        and all(_may_be_vector(cell, network) for cell in parts(side.of))
        else side
        for side in statement.sides
    )
    return replace(statement, sides=sides) if sides != statement.sides else statement


def _may_be_vector(cell: Node, network: Network) -> bool:
    symbol = cell.by if isinstance(cell, Gradient) else cell
    if not isinstance(symbol, Symbol):
        return not isinstance(cell, Transpose | Blocks)
    key = known_key(symbol, network)
    if key is not None:
        return len(network.inputs.get(key, ("",))) == 1
    return symbol.time is not None or not symbol.name[-1:].isupper()


def _with_blocks(
    own: Sequence[Statement], earlier: Sequence[Statement], network: Network
) -> Iterator[Stacked]:
    before = _definitions(earlier, network)
    stacks = {**before, **_definitions(own, network)}
    expansion = _Expansion(network)
    own = expansion.statements(own, stacks)
    earlier = expansion.statements(earlier, before)
    inference = StackInference([*earlier, *own], network)
    made = False
    for inferred in islice(inference.proposals(), MAX_ORDERS):
        made = True
        expansion = _Expansion(network)
        names = frozenset(name for name, _labels in inferred)
        yield Stacked(
            expansion.statements(own, inferred),
            expansion.statements(earlier, inferred),
            names,
        )
    if not made:
        yield Stacked(own, earlier)


# What the answer says


def _definitions(statements: Iterable[Statement], network: Network) -> dict[Name, Stack]:
    """Return what is said to be blocks; a name with two meanings has none."""
    found: dict[Name, Stack] = {}
    several: set[Name] = set()
    for statement in statements:
        sides = [side for side in statement.sides if not isinstance(side, UnreadableError)]
        blocks = next((made for side in sides if (made := _plain_blocks(side)) is not None), None)
        if blocks is None:
            continue
        names = {cell for cell in walk(blocks) if isinstance(cell, Symbol)}
        for side in sides:
            symbol, turned = (side.of, True) if isinstance(side, Transpose) else (side, False)
            if not isinstance(symbol, Symbol) or symbol in names or known(symbol, network):
                continue
            name = (symbol.name, symbol.labels)
            stack = Stack(symbol.time, _transposed(blocks) if turned else blocks)
            if name in found and cells_of(found[name].blocks) != cells_of(stack.blocks):
                several.add(name)
            found.setdefault(name, stack)
    return {name: stack for name, stack in found.items() if name not in several}


def _plain_blocks(node: Node) -> Blocks | None:
    """Return a side as blocks if it holds nothing but names."""
    if isinstance(node, Transpose):
        inner = _plain_blocks(node.of)
        return None if inner is None else _transposed(inner)
    return node if isinstance(node, Blocks) and all(map(_is_plain, parts(node))) else None


def _is_plain(node: Node) -> bool:
    if isinstance(node, Transpose):
        return _is_plain(node.of)
    if isinstance(node, Blocks):
        return all(map(_is_plain, parts(node)))
    return isinstance(node, Symbol)


def _transposed(node: Blocks) -> Blocks:
    rows = tuple(
        tuple(cell.of if isinstance(cell, Transpose) else Transpose(cell, cell.at) for cell in row)
        for row in zip(*node.rows, strict=True)
    )
    return replace(node, rows=rows)


# Names are replaced


class _Expansion:
    """Puts blocks in place of names; the names of names could make billions."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._budget = Budget(MAX_EXPANDED)

    def statements(
        self, found: Iterable[Statement], stacks: Mapping[Name, Stack]
    ) -> list[Statement]:
        """Return statements with the names of stacks replaced by their blocks.

        Raises:
            OverBudgetError: there are too many of them.
        """
        return [self._statement(one, stacks) for one in found]

    def _statement(self, statement: Statement, stacks: Mapping[Name, Stack]) -> Statement:
        sides = tuple(
            side if isinstance(side, UnreadableError) else self._node(side, stacks, 0)
            for side in statement.sides
        )
        return replace(statement, sides=sides) if sides != statement.sides else statement

    def _node(self, node: Node, stacks: Mapping[Name, Stack], depth: int) -> Node:
        self._budget.spend()
        if isinstance(node, Symbol):
            stack = stacks.get((node.name, node.labels))
            if stack is None or depth > SEVERAL:
                return node
            return self._node(_at(stack, node), stacks, depth + 1)
        if isinstance(node, Gradient):
            if node.of not in ("L", "D"):
                return node
            by = self._node(node.by, stacks, depth)
            if isinstance(by, Blocks):
                time = node.by.time if isinstance(node.by, Symbol) else None
                return _gradients(node, by, time, self._network)
            return replace(node, by=by)
        return with_parts(node, tuple(self._node(part, stacks, depth) for part in parts(node)))


def _at(stack: Stack, use: Symbol) -> Node:
    """Return the blocks of a stack at the time of its use."""
    if stack.time is None or use.time is None or stack.time == use.time:
        return _placed(stack.blocks, use.at)
    offset = use.time.offset - stack.time.offset

    def shifted(node: Node) -> Node:
        if isinstance(node, Symbol) and node.time is not None:
            if node.time.variable != stack.time.variable:  # type: ignore[union-attr]
                return node
            assert use.time is not None  # noqa: S101 - looked at above
            later = Index(use.time.variable, node.time.offset + offset)
            return replace(node, time=later, at=use.at)
        return with_parts(node, tuple(map(shifted, parts(node))))

    return shifted(stack.blocks)


def _placed(node: Node, at: int) -> Node:
    if isinstance(node, Symbol):
        return replace(node, at=at)
    return with_parts(node, tuple(_placed(part, at) for part in parts(node)))


def _gradients(node: Gradient, by: Blocks, time: Index | None, network: Network) -> Blocks:
    """Return the gradients by blocks. Gradients may lie in rows where values are columns."""

    def one(cell: Node) -> Node:
        if isinstance(cell, Blocks):
            return replace(cell, rows=tuple(tuple(map(one, row)) for row in cell.rows), loose=True)
        if isinstance(cell, Transpose):
            return Transpose(one(cell.of), cell.at)
        if isinstance(cell, Symbol) and _has_other_paths(cell, time, network):
            part = replace(cell, labels=(*cell.labels, STACKED), time=time)
            return replace(node, by=part, at=node.at)
        return replace(node, by=cell, at=node.at)

    return replace(by, rows=tuple(tuple(map(one, row)) for row in by.rows), loose=True, at=node.at)


def _has_other_paths(cell: Symbol, time: Index | None, network: Network) -> bool:
    """Say whether what reaches a value as a part of a vector is not all of its gradient."""
    key = known_key(cell, network)
    if key is None or key not in network.sequences:
        return False
    if not network.one_step and cell.time != time:
        return True  # the steps before have losses of their own
    if network.one_step and key._replace(of="L") in network.given_keys and cell.time == time:
        return True  # what is given is not derived
    return key in used_twice(network)
