"""What a check finds wrong in the same way, whatever the functions are that it builds on.

A check that fails is run again with right functions in the place of those that it builds on
(``rerun.py``). An ordinary case in which everything is wrong earns nothing, whatever the others
give. If it gives the same values in both runs, those functions have not made it wrong: the first
run stands as it is, and the rest of the second, with its hundreds of answered calls, is spared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.assignment.reference import SolvedCase
from grader.author.cases import BASE_GROUP

from .numerics import Tolerance, as_array, same_values


class SameAgainError(Exception):
    """A case is as wrong as it was before. Nobody is at fault: the first run stands."""


class WrongCases:
    """The ordinary cases of a run in which everything is wrong, with what they gave."""

    def __init__(self) -> None:
        self._given: dict[str, Mapping[str, Any]] = {}
        self._are_known = False

    def __bool__(self) -> bool:
        return bool(self._given)

    def hold(self) -> None:
        """Hold what comes from now on, in the second run, beside what is known."""
        self._are_known = True

    def add(self, case: SolvedCase, given: Mapping[str, Any], limit: Tolerance) -> None:
        """Take what a case gave, if everything is wrong in it.

        Raises:
            SameAgainError: in the second run, if it gave the same in the first.
        """
        if case.group != BASE_GROUP:
            return
        if not self._are_known:
            self._given[case.name] = given
        elif case.name in self._given and _same(self._given[case.name], given, limit):
            raise SameAgainError


def _same(first: Mapping[str, Any], second: Mapping[str, Any], limit: Tolerance) -> bool:
    if first.keys() != second.keys():
        return False
    for name, value in first.items():
        before, now = as_array(value), as_array(second[name])
        if before is None or now is None or not same_values(now, before, limit):
            return False
    return True
