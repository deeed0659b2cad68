"""A verdict for each quantity: what the answer says it is, against the truth.

The answer may lie in rows or columns and take the given gradients as total or as direct; what fits
it best counts, and is the same for all of its formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .answer import Rule
from .checker import Checker, Quantity, Verdict
from .limits import Budget
from .network import TIME, Model, Names
from .nodes import Index
from .resolve import Resolved, resolve
from .scope import LAYOUTS, Answer, Given, Layout
from .truth import Point, Sizes, point

SURE = 0.5  # of the points: an answer that is mostly right in one layout is not meant in another


@dataclass
class Outcome:
    """Verdicts under one convention, the best for this answer."""

    checker: Checker
    verdicts: list[Verdict]
    points: Sequence[Point]

    @property
    def resolved(self) -> Resolved:
        """The answer with all readings of its links."""
        return self.checker.resolved

    @property
    def answer(self) -> Answer:
        """The answer under this convention."""
        return self.checker.resolved.answer


@dataclass(frozen=True)
class Task:
    """What is asked and how it is checked."""

    model: Model
    quantities: Sequence[Quantity]
    weights: Sequence[float]
    given_as: Sequence[Given]
    sizes: Sequence[Sizes]
    seeds: Sequence[int]
    follow_through: float
    earlier_follow_through: float = 1.0


def judge(task: Task, rules: Sequence[Rule], names: Names, budget: Budget) -> Outcome:
    """Judge an answer under the convention that suits it best.

    Raises:
        TooMuchError: it takes too long.
    """
    points = points_of(task)
    best: tuple[float, Outcome] | None = None
    for layout, given in _conventions(task):
        resolved = resolve(rules, task.model, names, layout, given, budget)
        outcome = _under(task, resolved, points, budget)
        score = earned(task, outcome)
        if best is None or score > best[0] + 1e-9:
            best = score, outcome
        if all(verdict.status in ("right", "given") for verdict in outcome.verdicts):
            break
        if score > SURE and given == task.given_as[-1]:
            break
    assert best is not None  # noqa: S101 - there is at least one convention
    return best[1]


def points_of(task: Task) -> list[Point]:
    """Return the random points with the truth, which are drawn once."""
    return [point(task.model, sizes, seed) for seed in task.seeds for sizes in task.sizes]


def _conventions(task: Task) -> Iterator[tuple[Layout, Given]]:
    for layout in LAYOUTS:
        for given in task.given_as:
            yield layout, given


def earned(task: Task, outcome: Outcome) -> float:
    """Return the weighted sum of what the verdicts earn, from 0 to 1."""
    fractions = fractions_of(task, outcome)
    total = sum(w * f for w, f in zip(task.weights, fractions, strict=True))
    return total / sum(task.weights)


def fractions_of(task: Task, outcome: Outcome) -> list[float]:
    """Return what part of each quantity is earned.

    Gradients that are taken as given earn what the others earn on average: they are right if the
    rest is.
    """
    plain = [_fraction(task, outcome, verdict) for verdict in outcome.verdicts]
    others = [
        (weight, fraction)
        for weight, fraction, verdict in zip(task.weights, plain, outcome.verdicts, strict=True)
        if verdict.status != "given"
    ]
    total = sum(weight for weight, _fraction in others)
    mean = sum(weight * fraction for weight, fraction in others) / total if total else 0.0
    return [
        mean if verdict.status == "given" else fraction
        for verdict, fraction in zip(outcome.verdicts, plain, strict=True)
    ]


def _fraction(task: Task, outcome: Outcome, verdict: Verdict) -> float:
    if verdict.status == "follows":
        found = verdict.blame
        earlier = found is not None and outcome.answer.rules[found.rule].earlier
        return task.earlier_follow_through if earlier else task.follow_through
    return 1.0 if verdict.status == "right" else 0.0


def _under(task: Task, resolved: Resolved, points: Sequence[Point], budget: Budget) -> Outcome:
    checker = Checker(resolved, points, budget)
    checker.choose_readings()
    verdicts = [checker.verdict(quantity) for quantity in task.quantities]
    if any(verdict.status == "wrong" for verdict in verdicts) and checker.find_meanings():
        verdicts = [checker.verdict(quantity) for quantity in task.quantities]
    of_given = [verdict for verdict in verdicts if _is_given(verdict.quantity, task.model)]
    if of_given and all(verdict.status == "missing" for verdict in of_given):
        for verdict in of_given:
            verdict.status = "given"
    return Outcome(checker, verdicts, points)


def _is_given(quantity: Quantity, model: Model) -> bool:
    return quantity.key in model.given_keys and quantity.time == Index(TIME)
