r"""Finds out which gradients the student's own quantities are: ``\delta`` in ``\delta x^T``."""

from __future__ import annotations

from collections.abc import Sequence

from .checker import Checker
from .network import Key, keys_in
from .resolve import is_name
from .scope import Answer


def identify_own_quantities(checker: Checker) -> bool:
    """Find out which gradients the student's own quantities are; say whether any was found.

    An own quantity may stand for a gradient that has its value, or with which most of what is said
    in terms of it is right. The one with which most is right counts; of two alike, the one that has
    its value.
    """
    answer = checker.resolved.answer
    own = [key for key in answer.own_shapes if key.name and not answer.has_truth(key)]
    for key in own:
        meant = _meant_by(key, checker)
        if meant is not None:
            answer.stands_for[key] = meant
    checker.meanings_changed()
    return any(key in answer.stands_for for key in own)


def _meant_by(key: Key, checker: Checker) -> Key | None:
    """Return the gradient that an own quantity has the value of, or is used as."""
    answer = checker.resolved.answer
    own = answer.rules_for(key)
    derived = any(checker.builds_on_loss(number) for number in own)
    users = _users(key, own, answer)
    found: tuple[int, bool, Key] | None = None
    for candidate in _candidates(own, answer):
        answer.stands_for[key] = candidate
        checker.meanings_changed()
        valued = bool(own) and all(checker.first_wrong(n, trusted=True) is None for n in own)
        right = [n for n in users if checker.first_wrong(n, trusted=True) is None]
        del answer.stands_for[key]
        if valued and len(right) == len(users):
            return candidate
        # It has another value than what it is used as: that shows where more is made of it than a
        # new name, and only if it was derived from the loss.
        worked = any(not all(is_name(link) for link in answer.rules[n].links) for n in right)
        used = derived and worked and 2 * len(right) > len(users)
        if (valued or used) and (found is None or (len(right), valued) > found[:2]):
            found = len(right), valued, candidate
    return None if found is None else found[2]


def _users(key: Key, own: Sequence[int], answer: Answer) -> list[int]:
    """Return the rules for gradients that use an own quantity, in other statements than its own."""
    statements = {answer.rules[number].statement.number for number in own}
    return [
        number
        for number, rule in enumerate(answer.rules)
        if rule.key != key
        and answer.has_truth(rule.key)
        and rule.statement.number not in statements
        and any(key in keys_in(link) for link in rule.links)
    ]


def _candidates(own: Sequence[int], answer: Answer) -> list[Key]:
    """Return the gradients that an own quantity may be: those with a time if it has one.

    Without a time it may be one of those without, and in one step one of the others, too.
    """
    network = answer.network
    timed = any(answer.rules[number].time is not None for number in own)
    found: set[Key] = set()
    if timed or network.one_step:
        found |= network.sequences
    if not timed:
        found |= network.computed - network.sequences
    return sorted(Key("L", value.name, value.labels) for value in found)
