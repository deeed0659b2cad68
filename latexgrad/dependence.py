"""What formulas build on: the rules behind a rule, and whether they lead to the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from .arithmetic import ShapeError
from .evaluate import EvaluationError
from .limits import Budget
from .network import Key, keys_in
from .scope import Answer, Scope
from .truth import Point


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


def builds_on_loss(answer: Answer, number: int, where: Point, budget: Budget) -> bool:
    """Say whether a rule builds on gradients that are given, through other rules or not.

    A given gradient that cancels, or has the factor zero, is named but not built on.
    """
    given = answer.network.given_keys
    if answer.network.loss is not None:
        # A formula of values, with a gradient that need not name another: it depends on one of
        # these. Each is doubled alone: y/p is the same where both are twice as large.
        return any(
            _changes_with(answer, number, where, budget, key.__eq__)
            for key in sorted(set(keys_in(answer.network.loss)))
        )
    named = any(
        key.of == "D" or key in given
        for reached in rules_behind(answer, [number])
        for link in answer.rules[reached].links
        for key in keys_in(link)
    )
    # All gradients that are given are twice as large for twice the loss.
    return named and _changes_with(answer, number, where, budget, lambda key: bool(key.of))


def _changes_with(
    answer: Answer, number: int, where: Point, budget: Budget, chosen: Callable[[Key], bool]
) -> bool:
    """Say whether a rule's value is another where what is chosen is doubled; true without value."""
    doubled = {
        place: value * 2 if chosen(place[0]) else value for place, value in where.values.items()
    }
    before = _values(Scope(answer, where, budget, trusted=False), number)
    after = _values(Scope(answer, replace(where, values=doubled), budget, trusted=False), number)
    common = before.keys() & after.keys()
    return not common or any(not np.allclose(before[at], after[at]) for at in common)


def _values(scope: Scope, number: int) -> dict[int | None, Any]:
    """Return the values of a rule by time, where it has any."""
    rule = scope.answer.rules[number]
    place = len(rule.links) - 1
    found: dict[int | None, Any] = {}
    for time in range(scope.last + 1) if rule.time is not None else [None]:
        fit = scope.fit(rule, time)
        if fit is not None:
            with suppress(ShapeError, EvaluationError):
                found[time] = scope.link(number, place, fit[1], (rule.key, time))
    return found
