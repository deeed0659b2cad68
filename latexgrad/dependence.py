"""What formulas build on: the rules behind a rule, and whether they lead to the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .network import Key, key_of
from .nodes import Gradient, Node, Symbol, parts
from .scope import Answer


def keys_in(node: Node) -> Iterator[Key]:
    """Yield the keys of the symbols and gradients in a formula."""
    if isinstance(node, Symbol | Gradient):
        yield key_of(node)
        return
    for part in parts(node):
        yield from keys_in(part)


def rules_behind(answer: Answer, numbers: Iterable[int]) -> set[int]:
    """Return the numbers of rules, and of all rules that they build on."""
    reached: set[int] = set()
    left = list(numbers)
    while left:
        number = left.pop()
        if number in reached:
            continue
        reached.add(number)
        for link in answer.rules[number].links:
            for key in keys_in(link):
                left += answer.rules_for(key)
    return reached


def builds_on_loss(answer: Answer, number: int) -> bool:
    """Say whether a rule builds on gradients that are given, through other rules or not."""
    given = answer.network.given_keys
    if answer.network.loss is not None:
        return True  # the loss is a formula of the values: its gradient need not name another
    return any(
        key.of == "D" or key in given
        for reached in rules_behind(answer, [number])
        for link in answer.rules[reached].links
        for key in keys_in(link)
    )
