r"""Differentials: ``dh_t = (1 - h_t^2) \odot dy_t`` says how values move, not what a gradient is.

An equation between nothing but differentials, from what a value is computed of to the value, is
one where the answer writes gradients in another way, or where the gradient is given or derived.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from .derivatives import SHORT
from .network import TIME, Key, Network, key_of, time_of
from .nodes import Gradient, Index, Node, Symbol, Transpose, walk

Found = TypeVar("Found")


def without_differentials(
    read: Sequence[tuple[Found, list[Node]]], network: Network
) -> list[tuple[Found, list[Node]]]:
    """Return the statements, each with its sides, that are not between differentials."""
    moves = [_is_differential(sides, network) for _statement, sides in read]
    if not any(moves):
        return list(read)
    ways = {node.loss == SHORT for _statement, sides in read for node in _gradients(sides)}
    other = {
        key
        for (_statement, sides), move in zip(read, moves, strict=True)
        if not move and (key := _target(sides)) is not None
    }
    if network.one_step:
        other |= {(key, Index(TIME)) for key in network.given_keys}
    mixed = ways == {True, False}
    return [
        pair
        for pair, move in zip(read, moves, strict=True)
        if not (move and (mixed or _target(pair[1]) in other))
    ]


def _is_differential(sides: Sequence[Node], network: Network) -> bool:
    """Say whether an equation leads from the differentials of a value's inputs to its own."""
    if len(sides) < 2 or any(node.loss != SHORT for node in _gradients(sides)):  # noqa: PLR2004
        return False
    target = _gradient(sides)
    used = {(key_of(node)._replace(of=""), time_of(node)) for node in _gradients(sides[1:])}
    return target is not None and bool(used) and used <= _inputs(target, network)


def _gradient(sides: Sequence[Node]) -> Gradient | None:
    """Return the gradient that an equation says something about, if it is one."""
    target = sides[0].of if sides and isinstance(sides[0], Transpose) else next(iter(sides), None)
    return target if isinstance(target, Gradient) else None


def _target(sides: Sequence[Node]) -> tuple[Key, Index | None] | None:
    gradient = _gradient(sides)
    return None if gradient is None else (key_of(gradient), time_of(gradient))


def _gradients(sides: Sequence[Node]) -> Iterator[Gradient]:
    return (node for side in sides for node in walk(side) if isinstance(node, Gradient))


def _inputs(of: Gradient, network: Network) -> set[tuple[Key, Index | None]]:
    """Return what a value is computed of: the keys and times."""
    return {
        (key_of(one), time_of(one))
        for symbol, node in network.forward
        if (key_of(symbol), symbol.time) == (key_of(of)._replace(of=""), time_of(of))
        for one in walk(node)
        if isinstance(one, Symbol)
    }
