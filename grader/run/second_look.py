"""Mutants that no check has seen, on other inputs: do they compute the same as their origin?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment.mutated import MutantFate, RightProgram
from grader.assignment.reference import Assignment
from grader.assignment.resized import ResizedAssignment
from grader.checks.numerics import as_array
from grader.checks.watched import Compared
from grader.job import Settings
from grader.model import Rubric
from grader.run.grading import silenced
from grader.run.session import Session
from grader.run.workers import ForkServers

SEEDS = 3  # with the sizes of the cases, and with others
SAME, SAME_SINGLE = 1.0e-9, 1.0e-4  # relative; rounding leaves less, a change of precision more
Values = dict[tuple[Any, ...], Any]  # what student code gave, by run, check, case and name


class SecondLook:
    """Runs mutants and their origins on cases of other seeds and sizes.

    Args:
        rubric: of the assignment.
        servers: where workers come from.
        settings: those of the run.
        folder: where programs are written.
    """

    def __init__(
        self, rubric: Rubric, servers: ForkServers, settings: Settings, folder: Path
    ) -> None:
        self._rubric, self._servers = rubric, servers
        self._settings, self._folder = settings, folder
        self._right: dict[tuple[str, frozenset[str]], Values] = {}

    def settle(self, fate: MutantFate) -> None:
        """Find out whether a mutant that is alive is equivalent, and what shows it if not."""
        if fate.trains:
            fate.why = "its checks train and compare no values: a person must look at it"
            return
        key = fate.program.name, fate.wanted
        if key not in self._right:
            self._right[key] = dict(self._values(fate.program, {}, fate.wanted))
        right = self._right[key]
        changed = {fate.module: fate.mutant.source.encode()}
        lost: list[str] = []
        differs = ""
        for place, value in self._values(fate.program, changed, fate.wanted):
            if place[-1] == "outcome":
                if right.get(place) == "passed" and value != "passed":
                    lost.append(f"{place[0]}, {place[1]}")
            elif place in right and not differs and not _same(right[place], value):
                differs = f"{place[-1]} in case {place[2]} of {place[1]} ({place[0]})"
        if lost:
            fate.why = f"it loses points with {lost[0]}: let the cases have inputs like these"
        elif differs:
            fate.why = f"it computes something else, within what is allowed: {differs}"
        else:
            fate.fate = "equivalent"

    def _values(
        self, program: RightProgram, changed: Mapping[str, bytes], wanted: frozenset[str]
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """Yield what a program gives on other inputs, and how its checks end."""
        for name, data in {**program.files, **changed}.items():
            (self._folder / name).write_bytes(data)
        for kind, words in ((Assignment, "other seeds"), (ResizedAssignment, "other sizes")):
            for seed in range(SEEDS):
                assignment = kind(self._rubric.reference)
                yield from self._run(assignment, f"{words} ({seed})", seed, wanted)

    def _run(
        self, assignment: Assignment, words: str, seed: int, wanted: frozenset[str]
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        settings = dataclasses.replace(self._settings, seed=1 + seed, secret=None)
        seen: list[Compared] = []
        try:
            staged = self._servers.stage("mutant", self._folder, self._rubric)
            session = Session(
                *(self._rubric, assignment, staged, self._servers, settings), watch=seen.append
            )
            for question, check in session.ordered(wanted):
                seen.clear()
                with silenced():
                    outcome = session.run(question, check).outcome
                yield (words, check.id, "outcome"), outcome
                for one in seen:
                    yield (words, check.id, one.case.name, one.comparison.name), one.given
        finally:
            self._servers.unstage()


def _same(right: Any, given: Any) -> bool:
    """Say whether two values are the same up to rounding."""
    one, other = as_array(right), as_array(given)
    if one is None or other is None:
        return type(right) is type(given) and one is other
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    rtol = SAME_SINGLE if one.dtype == np.float32 else SAME
    size = float(np.abs(one).max(initial=0.0)) if one.dtype.kind in "fiu" else 1.0
    return bool(np.allclose(one, other, rtol=rtol, atol=rtol * size, equal_nan=True))


def settle_all(
    rubric: Rubric, settings: Settings, folder: Path, alive: Sequence[MutantFate]
) -> None:
    """Look at mutants that no check has seen a second time.

    Raises:
        IsolationError: this machine does not isolate as well as was asked for.
    """
    with ForkServers(policy=settings.policy(rubric)) as servers:
        look = SecondLook(rubric, servers, settings, folder)
        for fate in alive:
            for path in folder.iterdir():
                path.unlink()
            look.settle(fate)
