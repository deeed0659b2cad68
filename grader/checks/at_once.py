"""What a check asks all at once: the calls by which its cases are judged if everything is right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from grader.isolation.sandbox.calls import Call
from grader.isolation.wire import Opaque

from .student_code import positions

if TYPE_CHECKING:
    from grader.assignment.reference import SolvedCase

    from .forward import ForwardSpec
    from .gradient_run import GradientSpec


def forward_calls(spec: ForwardSpec, cases: Iterable[SolvedCase]) -> list[Call]:
    """Return one call for each case."""
    opaque = positions(spec.returns, spec.opaque)
    return [Call(spec.function, tuple(case.arguments.values()), opaque) for case in cases]


def gradient_calls(spec: GradientSpec, cases: Iterable[SolvedCase]) -> list[Call]:
    """Return a call of forward for each case, and one of backward with what that has kept."""
    opaque = positions(spec.returns, spec.opaque)
    kept = [spec.returns[position] for position in opaque]
    calls: list[Call] = []
    for number, case in enumerate(cases):
        calls.append(Call(spec.forward, tuple(case.arguments.values()), opaque))
        if spec.forward != spec.function:
            # A worker counts what it keeps from 0 on.
            handles = [Opaque(number * len(kept) + kept.index(name), "") for name in spec.opaque]
            calls.append(Call(spec.function, (*case.cotangents.values(), *handles)))
    return calls
