"""A verdict for each quantity: what the answer says it is, against the truth.

The answer may lie in rows or columns and take the given gradients as total or as direct; what fits
it best counts, and is the same for all of its formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .checker import Checker, Quantity, Verdict
from .limits import Budget
from .network import TIME, Network
from .nodes import Index
from .own_quantities import identify_own_quantities
from .prepare import PreparedTask
from .renaming import Renaming
from .resolve import Resolved, resolve
from .rules import Rule
from .scope import LAYOUTS, Answer
from .truth import Point


@dataclass
class ComparedAnswer:
    """An answer compared with the truth under one convention."""

    checker: Checker
    verdicts: list[Verdict]
    points: Sequence[Point]
    guessed: frozenset[str] = frozenset()  # names for values that the answer does not explain

    @property
    def resolved(self) -> Resolved:
        """The answer with all readings of its links."""
        return self.checker.resolved

    @property
    def answer(self) -> Answer:
        """The answer under this convention."""
        return self.checker.resolved.answer


def compare_with_truth(
    task: PreparedTask,
    rules: Sequence[Rule],
    renaming: Renaming,
    points: Sequence[Point],
    budget: Budget,
) -> ComparedAnswer:
    """Compare an answer with the truth under the convention that suits it best.

    Raises:
        OverBudgetError: it takes too long.
    """
    best: tuple[float, ComparedAnswer] | None = None
    fewest: int | None = None
    for layout in LAYOUTS:
        read = resolve(rules, task.network, renaming, layout, task.given_as[0], budget)
        if fewest is not None and read.impossible > fewest:
            continue  # more formulas than in another layout have impossible shapes
        fewest = read.impossible
        for given in task.given_as:
            found = _under(task, read.given_as(given), points, budget)
            score = earned(task, found)
            if best is None or score > best[0] + 1e-9:
                best = score, found
            if all(verdict.status in ("right", "given") for verdict in found.verdicts):
                return best[1]
    assert best is not None  # noqa: S101 - there is at least one convention
    return best[1]


def earned(task: PreparedTask, found: ComparedAnswer) -> float:
    """Return the weighted sum of what the verdicts earn, from 0 to 1."""
    fractions = fractions_of(task, found)
    total = sum(w * f for w, f in zip(task.weights, fractions, strict=True))
    return total / sum(task.weights)


def fractions_of(task: PreparedTask, found: ComparedAnswer) -> list[float]:
    """Return what part of each quantity is earned.

    Gradients that are taken as given earn what the others earn on average: they are right if the
    rest is. A sum over the steps that is missing costs only the sum.
    """
    plain = [_earned_by(task, found, verdict) for verdict in found.verdicts]
    others = [
        (weight, 1.0 if verdict.unsummed else fraction)
        for weight, fraction, verdict in zip(task.weights, plain, found.verdicts, strict=True)
        if verdict.status != "given"
    ]
    total = sum(weight for weight, _fraction in others)
    mean = sum(weight * fraction for weight, fraction in others) / total if total else 0.0
    return [
        mean if verdict.status == "given" else fraction
        for verdict, fraction in zip(found.verdicts, plain, strict=True)
    ]


def _earned_by(task: PreparedTask, found: ComparedAnswer, verdict: Verdict) -> float:
    if verdict.status == "follows":
        blame = verdict.blame
        earlier = blame is not None and found.answer.rules[blame.rule].earlier
        return task.earlier_follow_through if earlier else task.follow_through
    return 1.0 if verdict.status == "right" else 0.0


def _under(
    task: PreparedTask, resolved: Resolved, points: Sequence[Point], budget: Budget
) -> ComparedAnswer:
    checker = Checker(resolved, points, budget)
    checker.choose_readings()
    verdicts = [checker.verdict(quantity) for quantity in task.quantities]
    if any(verdict.status == "wrong" for verdict in verdicts) and identify_own_quantities(checker):
        verdicts = [checker.verdict(quantity) for quantity in task.quantities]
    of_given = [verdict for verdict in verdicts if _is_given(verdict.quantity, task.network)]
    missing = [verdict for verdict in of_given if verdict.status == "missing"]
    if len(missing) == len(of_given) or resolved.answer.given == "total":
        for verdict in missing:
            verdict.status = "given"
    return ComparedAnswer(checker, verdicts, points)


def _is_given(quantity: Quantity, network: Network) -> bool:
    return quantity.key in network.given_keys and quantity.time in (None, Index(TIME))
