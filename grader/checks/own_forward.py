"""Which wrong gradients are right for a student's own, wrong forward function?"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Protocol

import numpy as np

from grader.assignment.reference import SolvedCase
from grader.author.cases import BASE_GROUP
from grader.errors import Blocked, Failure, WorkerLost

from .base import Context
from .differences import Differences, agrees, chosen_entries, is_double
from .nearness import Nearness, Slopes
from .student_code import StudentModule


class JudgedGradients(Protocol):
    """A check of gradients whose cases have been compared; ``found`` are the wrong ones."""

    spec: Any
    context: Context
    module: StudentModule
    own: dict[str, dict[str, Any]]

    @property
    def found(self) -> Container[str]:
        """The gradients that are wrong, by name."""

    def forward(self, case: SolvedCase) -> dict[str, Any]:
        """Return the outputs of the student's forward function."""

    def backward(self, case: SolvedCase, own: dict[str, Any]) -> dict[str, Any]:
        """Return the student's gradients."""


def right_for_own_forward(run: JudgedGradients, cases: tuple[SolvedCase, ...]) -> set[str]:
    """Return the wrong gradients that are right for the student's own, wrong forward.

    Only a forward that is near the right one counts (``nearness.py``).
    """
    spec, context = run.spec, run.context
    usual = [case for case in cases if case.group == BASE_GROUP and case.name in run.own]
    doubles = [c for c in usual if all(is_double(value) for value in c.arguments.values())]
    size = {c.name: sum(np.size(value) for value in c.arguments.values()) for c in doubles}
    case = min(doubles, key=lambda c: size[c.name], default=None)
    if case is None:
        return set()
    near = Nearness(
        context.assignment.mistakes(context.question.module, spec.forward),
        *(spec.forward, spec.values),
    )
    try:
        own = run.forward(case)
        gradients = run.backward(case, own)
        like = near.like([*((one, run.own[one.name]) for one in usual), (case, own)])
        if like is None:
            return set()
        differences = Differences(
            run.module, case, spec.forward, spec.returns, spec.opaque, spec.values
        )
        slopes = {}
        for name, argument in spec.gradients.items():
            right = case.expected[name].astype(np.float64).reshape(-1)
            entries = chosen_entries(right.size, context.seed)
            own_slopes = differences.slopes(argument, entries)
            slopes[argument] = Slopes(entries, own_slopes, right[entries])
    except WorkerLost:
        raise
    except (Failure, Blocked):
        return set()
    confirmed = near.confirmed(like, differences, slopes)
    found = set()
    for name in spec.gradients:
        if name not in run.found:
            continue
        one = slopes[spec.gradients[name]]
        shape = case.expected[name].shape
        if spec.gradients[name] in confirmed and agrees(
            gradients[name], shape, one.entries, one.own
        ):
            found.add(name)
    return found
