"""Mutants of right programs: each is wrong in one place, and the rubric must see it.

``reference/submissions/equivalent_mutants.yaml`` lists those that compute the same for a reason
that running them cannot show::

    - function: temporal_softmax_loss
      diff: |
        -    shifted = x - x.max(axis=2, keepdims=True)
        +    shifted = x - x.min(axis=2, keepdims=True)
      reason: ...
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from grader.assignment.examples import Example
from grader.assignment.listed import read_list
from grader.errors import RubricError
from grader.isolation.worker import mutants
from grader.isolation.worker.mutants import Mutant
from grader.job import Submitted
from grader.model import Rubric, Strict
from grader.readers.texts import did_you_mean
from grader.reports.report import Report

LISTED = "equivalent_mutants.yaml"
REFERENCE = "reference"  # the name of the reference among the programs
RIGHT = "full_marks"  # the folder of right examples
PAID = 0.01  # points that the check of another function may lose
Fate = Literal["killed", "pending", "broken", "alive", "equivalent", "listed"]
Files = dict[str, bytes]
Making = Callable[[str, Collection[str]], Iterator[Mutant]]


class ListedMutant(Strict):
    """A mutant that computes the same, with the reason."""

    function: str
    diff: str
    reason: str


@dataclass(frozen=True)
class RightProgram:
    """A program that earns full marks, with its files by name."""

    name: str
    files: Files

    @property
    def sources(self) -> dict[str, str]:
        """Its Python files."""
        return {n: d.decode() for n, d in self.files.items() if n.endswith(".py")}


@dataclass
class MutantFate:
    """What became of a mutant.

    Attributes:
        program: the right program that it was made from.
        module: the file that was changed.
        mutant: the change; of a pair the second one, with the first one in ``first``.
        own: the checks that may lose points: those of the function.
        trains: whether its checks train on a data set, and compare no values.
        partners: the checks of gradients that read what the function keeps for them.
        lost: points by check.
        causes: the identifiers of the causes that messages name, by check.
        waiting: the checks that wait for a person.
        fate: what became of it.
        why: for one that is alive, what other inputs show.
    """

    program: RightProgram
    module: str
    mutant: Mutant
    own: frozenset[str]
    partners: frozenset[str]
    wanted: frozenset[str]
    trains: bool = False
    first: Mutant | None = None
    lost: dict[str, float] = field(default_factory=dict)
    causes: dict[str, list[str]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    fate: Fate = "alive"
    why: str = ""

    @property
    def by_own(self) -> bool:
        """Whether its own check has seen it."""
        return bool(self._own & set(self.lost))

    @property
    def once(self) -> bool:
        """Whether no other check loses points."""
        own = self._own
        return all(points <= PAID for check, points in self.lost.items() if check not in own)

    @property
    def has_cause(self) -> bool:
        """Whether its own check names a cause."""
        return bool(self._own & set(self.causes))

    @property
    def seen_by(self) -> frozenset[str]:
        """The checks that are about it and lose points; if none does, those of other functions."""
        return frozenset(self._own & set(self.lost) or self.lost)

    @property
    def _own(self) -> frozenset[str]:
        # Where the function's values are right, it is what it keeps for its gradient.
        return self.own if self.own & set(self.lost) else self.own | self.partners


@dataclass(frozen=True)
class ReachingChecks:
    """The checks that can see a change of a function, and those that are about it."""

    wanted: frozenset[str]
    own: frozenset[str]
    partners: frozenset[str]
    trains: bool


def right_programs(rubric: Rubric, examples: Iterable[Example]) -> list[RightProgram]:
    """Return the reference and all examples that claim full marks, with modules of their own."""
    modules = {name for question in rubric.questions for name in question.modules}
    own = {p.name: p.read_bytes() for p in sorted(rubric.reference.glob("*.py"))}
    found = [RightProgram(REFERENCE, {n: d for n, d in own.items() if n in modules})]
    for example in examples:
        if not example.name.startswith(f"{RIGHT}/") or example.claims.loses:
            continue
        folders = [path for path in (example.base, example.folder) if path is not None]
        files = {path.name: path.read_bytes() for f in folders for path in f.glob("*.py")}
        theirs = {n: d for n, d in files.items() if (example.folder / n).is_file()}
        if modules & set(theirs):
            found.append(RightProgram(example.name, files))
    return found


def fates_of(
    rubric: Rubric, program: RightProgram, made: Making = mutants.mutants_of
) -> list[MutantFate]:
    """Return the mutants (or what else is ``made``) of a program's graded functions."""
    plans = _plans(rubric, program)
    found = []
    for module, text in sorted(program.sources.items()):
        names = {name for name in mutants.functions_in(ast.parse(text)) if (module, name) in plans}
        for mutant in made(text, names):
            plan = plans[module, mutant.function]
            found.append(
                MutantFate(
                    program, module, mutant, plan.own, plan.partners, plan.wanted, plan.trains
                )
            )
    return found


def drawn(fates: Sequence[MutantFate], sample: int | None, seed: int) -> list[MutantFate]:
    """Return some mutants, drawn with ``seed``; all of them without a number."""
    if sample is None or sample >= len(fates):
        return list(fates)
    chosen = np.random.default_rng(seed).permutation(len(fates))[:sample]
    return [fates[index] for index in sorted(chosen)]


def submitted(folder: Path, fates: Sequence[MutantFate]) -> list[Submitted]:
    """Write each mutant as a submission; return what to grade, in the same order."""
    found = []
    for number, fate in enumerate(fates):
        place = folder / f"m{number:05d}"
        place.mkdir()
        for name, data in fate.program.files.items():
            (place / name).write_bytes(data)
        (place / fate.module).write_text(fate.mutant.source, encoding="utf-8")
        found.append(Submitted(place.name, place, fate.wanted))
    return found


def settle(fate: MutantFate, made: Report) -> None:
    """Note what a mutant's report says."""
    for check in made.checks():
        lost = check.max_points - check.points
        if check.outcome == "broken":
            fate.fate = "broken"
            fate.why = check.message
        elif check.outcome == "pending":
            fate.waiting.add(check.id)
            fate.fate = "pending" if fate.fate == "alive" else fate.fate
        elif lost > 0:
            fate.lost[check.id] = round(lost, 6)
            causes = [check.cause, *(part.cause for part in check.parts)]
            if found := {cause.id for cause in causes if cause is not None}:
                fate.causes[check.id] = sorted(found)
    if made.status == "broken":
        fate.fate = "broken"
    elif fate.lost:
        fate.fate = "killed"


def listed(rubric: Rubric) -> list[ListedMutant]:
    """Return the mutants that an assignment lists as equivalent.

    Raises:
        RubricError: the list is wrong, with all problems.
    """
    path = rubric.reference / "submissions" / LISTED
    if not path.is_file():
        return []
    source, found = read_list(path, ListedMutant, "mutants")
    names = _functions(rubric)
    for number, one in found.items():
        if one.function.rpartition(".")[2] not in names:
            hint = did_you_mean(one.function, sorted(names))
            text = f"no right program has a function {one.function!r}{hint}"
            source.problems.add(source.line((number, "function")), text)
    if source.problems:
        raise RubricError(source.problems.printed)
    return list(found.values())


def _functions(rubric: Rubric) -> set[str]:
    """Return the names of all functions and methods in the reference and the right examples."""
    places = ("*.py", f"submissions/{RIGHT}/*/*.py")
    found: set[str] = set()
    for path in (path for place in places for path in rubric.reference.glob(place)):
        with contextlib.suppress(SyntaxError, ValueError, OSError):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return found


def is_listed(fate: MutantFate, known: Sequence[ListedMutant]) -> ListedMutant | None:
    """Return the entry of a list that is this mutant."""
    for one in known:
        if one.function == fate.mutant.function and _changed(one.diff) == _changed(
            fate.mutant.diff
        ):
            return one
    return None


def _changed(diff: str) -> list[tuple[str, str]]:
    """Return the lines of a difference, without their indentation."""
    return [(line[0], line[1:].strip()) for line in diff.splitlines() if line.strip()]


def _plans(rubric: Rubric, program: RightProgram) -> Mapping[tuple[str, str], ReachingChecks]:
    """Return which checks can see a change, by the module and the function or method."""
    calls = _calls(program)
    every = [
        (question.of(check).module, check)
        for question in rubric.questions
        for check in question.checks
        if check.functions
    ]
    graded = {(module, check.functions[0]) for module, check in every}
    plans = {}
    for module, text in program.sources.items():
        for name in mutants.functions_in(ast.parse(text)):
            top = name.partition(".")[0]
            if (module, top) not in graded:
                continue
            seen = [check for _module, check in every if top in _closure(check.functions, calls)]
            quick = [check for check in seen if not hasattr(check, "dataset")]
            own = [c for m, c in every if (m, c.functions[0]) == (module, top)]
            chosen = quick if any(check in quick for check in own) else seen
            plans[module, name] = ReachingChecks(
                frozenset(check.id for check in chosen),
                frozenset(check.id for check in own),
                frozenset(check.id for check in seen if getattr(check, "forward", None) == top),
                all(hasattr(check, "dataset") for check in chosen),
            )
    return plans


def _calls(program: RightProgram) -> dict[str, set[str]]:
    """Return the names that are used in each function and class of a program."""
    found: dict[str, set[str]] = {}
    for text in program.sources.values():
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                used |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                found.setdefault(node.name, set()).update(used)
    return found


def _closure(roots: Iterable[str], calls: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += calls.get(name, ())
    return found
