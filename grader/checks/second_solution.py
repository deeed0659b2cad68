"""The reference beside an independent second solution, if the assignment has one.

``reference/second/<module>`` holds functions of the same names, written by another person or in
another way. Where both differ, one of them is wrong, and nobody should be graded before it is known
which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.assignment.reference import Assignment, SolvedCase
from grader.errors import RAISED, Failure

from .numerics import compare, tolerance
from .student_code import unpack


def forward_problems(
    spec: Any, module: str, assignment: Assignment, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield how the second solution's forward function differs; at most one problem."""
    second = assignment.second(module)
    function = getattr(second, spec.function, None)
    if function is None:
        return

    def outputs(case: SolvedCase) -> Mapping[str, Any]:
        return unpack(spec.function, function(*case.arguments.values()), spec.returns)

    yield from _differences("function", spec, module, assignment, cases, outputs)


def values_problems(
    spec: Any, module: str, assignment: Assignment, cases: Sequence[SolvedCase]
) -> Iterator[str]:
    """Yield how what the driver makes of the second solution differs; at most one problem."""
    second = assignment.second(module)
    own = assignment.comparison(module, spec.generator)
    if second is None or not hasattr(second, spec.function) or own is not None:
        return

    def outputs(case: SolvedCase) -> Mapping[str, Any]:
        found: Mapping[str, Any] = spec.runs.here(second, assignment, case.arguments)
        return found

    yield from _differences("outputs", spec, module, assignment, cases, outputs)


def _differences(
    key: str, spec: Any, module: str, assignment: Assignment, cases: Sequence[SolvedCase], run: Any
) -> Iterator[str]:
    place = f"{assignment.folder.name}/second/{module}"
    for case in cases:
        try:
            found = run(case)
        except Failure as failed:
            yield f"{key}: {place}: {failed.message} (case {case.name})"
            return
        except RAISED as error:
            yield f"{key}: {place}: {type(error).__name__}: {error} (case {case.name})"
            return
        for name in (one for one in case.expected if one in found):
            result = compare(name, found[name], case.expected[name], tolerance(spec, case))
            if not result.ok:
                yield (
                    f"{key}: {place} and {assignment.folder.name}/{module} differ in case "
                    f"{case.name}: {result.message}: here the first is what was given"
                )
                return
