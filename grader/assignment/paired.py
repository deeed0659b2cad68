"""Pairs: right programs with two mistakes, and whether a report names both.

Each of the two changes is graded alone, too. A pair counts only if each of them loses points alone:
what computes the same has nothing to be named. See ``MutantPair.named`` for what counts as named.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from grader.assignment.mutated import MutantFate
from grader.isolation.worker import mutants
from grader.isolation.worker.mutants import Mutant

# Causes that end a run: what comes after them is not seen.
ENDS = ("exception", "timeout", "memory", "crashed", "output_limit", "not_implemented")
Named = Literal["both", "hidden", "one", "none", "no pair"]
CheckCause = tuple[str, str]  # a check, and the identifier of a cause that its message names


@dataclass(frozen=True)
class MutantPair:
    """A program with two changes in two functions, and what became of it.

    Attributes:
        both: the program with both changes; ``first`` is one, ``mutant`` the other.
        alone: the program with the first change, and with the second.
    """

    both: MutantFate
    alone: tuple[MutantFate, MutantFate]

    @property
    def named(self) -> Named:
        """Which of the two changes the report names.

        A change is named by a cause that it has alone as well, in a check that is about it: its
        function's own, or the one of the gradient that reads what it keeps, where that is all that
        is wrong.

        - ``both``: two causes, one for each change. One cause of one check names one change.
        - ``hidden``: one, and the other is hidden behind it: each check that is about the other
          ends with an error of the first, or waits for a person because of it.
        - ``one``, ``none``: of those that are not hidden.
        - ``no pair``: a change loses no points alone; there is nothing to name.
        """
        first, second = self.alone
        if "killed" not in {first.fate} & {second.fate}:
            return "no pair"
        causes = self._causes(first), self._causes(second)
        if all(causes) and len(causes[0] | causes[1]) > 1:
            return "both"
        if not any(causes):
            return "none"
        if all(causes):  # one cause, which both of them have alone
            ((_check, cause),) = causes[0]
            return "hidden" if _ends(cause) else "one"
        unnamed, other = (second, first) if causes[0] else (first, second)
        return "hidden" if self._hides(other, unnamed) else "one"

    def _causes(self, change: MutantFate) -> set[CheckCause]:
        """Return the causes of a change that the report of both names."""
        return {
            (check, cause)
            for check in change.seen_by
            for cause in self.both.causes.get(check, ())
            if cause in change.causes.get(check, ())
        }

    def _hides(self, change: MutantFate, other: MutantFate) -> bool:
        """Say whether no check that is about the other change gets to it."""
        return all(
            any(
                _ends(cause) and cause in change.causes.get(check, ())
                for cause in self.both.causes.get(check, ())
            )
            or (check in self.both.waiting and check not in other.waiting)
            for check in other.seen_by
        )


def _ends(cause: str) -> bool:
    return cause.partition(".")[0] in ENDS


def pairs_of(
    chosen: Sequence[MutantFate], fates: Sequence[MutantFate], seed: int
) -> list[MutantPair]:
    """Return each chosen mutant with a second change, in another function of its module.

    What has no other graded function in its module is left out.
    """
    rng = np.random.default_rng(seed)
    found = []
    for one in chosen:
        others = [f for f in fates if f.module == one.module and f.program is one.program]
        others = [f for f in others if f.mutant.function != one.mutant.function]
        if not others:
            continue
        other = others[int(rng.integers(len(others)))]
        both = replace(
            one,
            mutant=with_both(one.mutant, other.mutant),
            own=one.own | other.own,
            partners=one.partners | other.partners,
            wanted=one.wanted | other.wanted,
            first=one.mutant,
            lost={},
            causes={},
            waiting=set(),
        )
        found.append(MutantPair(both, (one, other)))
    return found


def with_both(first: Mutant, second: Mutant) -> Mutant:
    """Return the second change of a program, made in the program with the first one.

    They must be changes of two functions.
    """
    functions = mutants.functions_in(ast.parse(second.origin))
    start = functions[second.function].lineno - 1
    end = functions[second.function].end_lineno or 0
    origin, changed = second.origin.splitlines(True), second.source.splitlines(True)
    new = changed[start : end + len(changed) - len(origin)]
    lines = first.source.splitlines(True)
    if functions[first.function].lineno <= start:
        moved = len(lines) - len(origin)
        start, end = start + moved, end + moved
    source = "".join([*lines[:start], *new, *lines[end:]])
    line = second.line + start - functions[second.function].lineno + 1
    return Mutant(second.function, second.kind, line, source, first.source)
