"""What a check asks all at once: the calls by which its cases are judged if everything is right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from grader.isolation.sandbox.calls import FunctionCall
from grader.isolation.wire import Opaque

from .student_code import positions

if TYPE_CHECKING:
    from grader.assignment.reference import SolvedCase


def forward_calls(spec: Any, cases: Iterable[SolvedCase]) -> list[FunctionCall]:
    """Return one call for each case of a check of outputs."""
    opaque = positions(spec.returns, spec.opaque)
    return [FunctionCall(spec.function, tuple(case.arguments.values()), opaque) for case in cases]


def gradient_calls(spec: Any, cases: Iterable[SolvedCase]) -> list[FunctionCall]:
    """Return, for each case of a check of gradients, a call of forward and one of backward.

    The second is made with what the first has kept.
    """
    opaque = positions(spec.returns, spec.opaque)
    kept = [spec.returns[position] for position in opaque]
    calls: list[FunctionCall] = []
    for number, case in enumerate(cases):
        calls.append(FunctionCall(spec.forward, tuple(case.arguments.values()), opaque))
        if spec.forward != spec.function:
            # A worker counts what it keeps from 0 on.
            handles = [Opaque(number * len(kept) + kept.index(name), "") for name in spec.opaque]
            calls.append(FunctionCall(spec.function, (*case.cotangents.values(), *handles)))
    return calls
