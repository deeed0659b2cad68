"""Kind ``gradient``: each returned gradient separately, against the reference.

Where the student's own forward is wrong, a gradient is tried with what a right forward would keep
for it. It may also be right for that forward: float64 central differences tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from grader.assignment.reference import Assignment, SolvedCase
from grader.author.cases import BASE_GROUP
from grader.errors import Pending
from grader.isolation.sandbox.calls import FunctionCall
from grader.model import Part, Question

from . import cost, reference_mutants
from .at_once import gradient_calls
from .base import (
    CheckKind,
    Context,
    Judgement,
    Recorder,
    case_by_case,
    in_lines,
    name_problems,
)
from .forwards import MAX_SHOWN, beside_right_forwards, cases_of
from .gradient_run import GradientRun, GradientSpec
from .replies import bytes_for


class GradientKind(CheckKind):
    """Compares every gradient with the reference's, elementwise, each for its own share."""

    name = "gradient"
    asks_at_once = True
    options = GradientSpec

    def problems(
        self, spec: GradientSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's functions and cases."""
        cases = assignment.cases(question.module, spec.forward, 0, spec.drawn)
        yield from assignment.function_problems(question.module, spec)
        unknown = [a for a in spec.gradients.values() if a not in cases[0].arguments]
        for name, argument in spec.gradients.items():
            if argument in unknown:
                known = ", ".join(cases[0].arguments)
                yield f"gradients: {name}: {spec.forward} has no argument {argument!r} ({known})"
        known_groups = {case.group for case in cases}
        for group in set(spec.groups) - known_groups:
            yield f"groups: no case belongs to {group!r} (there are {sorted(known_groups)})"
        for name in spec.surrogate:
            if name not in spec.gradients:
                yield f"surrogate: {name!r} is not one of the gradients"
        yield from name_problems(spec)

    def disagreements(
        self, spec: GradientSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what the reference does not do as the check and the case file say; runs it."""
        from . import agreement

        yield from agreement.gradient_problems(spec, question.module, assignment)

    def record(self, spec: GradientSpec, recorder: Recorder) -> bool:
        """Record the cases with the reference's gradients."""
        cases = recorder.assignment.solved_gradients(
            recorder.question.module, spec.forward, spec.returns, spec.opaque,
            spec.function, list(spec.gradients), recorder.seed, spec.drawn,
        )  # fmt: skip
        recorder.cases(spec.function, cases)
        return True

    def reply_bytes(self, spec: GradientSpec, context: Context) -> int:
        """Return the room for the gradients and outputs that the reference gives."""
        return bytes_for(cases_of(spec, context))

    def prepare(self, spec: GradientSpec, context: Context) -> None:
        """Find out what changes of the reference give."""
        reference_mutants.prepare(spec, context, cases_of(spec, context))

    def run(self, spec: GradientSpec, context: Context) -> Judgement:
        """Judge all cases in one worker; each calls forward anew before backward."""
        return beside_right_forwards(spec, context, cases_of(spec, context), self._judged)

    def _judged(self, run: GradientRun, cases: tuple[SolvedCase, ...]) -> Judgement:
        parts: tuple[Part, ...] = ()
        notes: list[str] = []
        calls_of = partial(gradient_calls, run.spec)
        for module, is_there in case_by_case(run.context, cases, run.compare_case, calls_of):
            run.module = module
            if is_there:
                run.stubs.settle()
                skipped = {case.name for case in run.skipped()}
                parts = tuple(run.parts(tuple(c for c in cases if c.name not in skipped)))
                if all(part.earned == 1 for part in parts):
                    self._look_at_cost(run, cases)
            notes += module.notes + module.mutation_notes()
        measured = {**run.largest.measurements, "cases": len(cases)}
        return Judgement(parts, tuple(notes), measured, in_lines(parts, run.alike))

    def _look_at_cost(self, run: GradientRun, cases: tuple[SolvedCase, ...]) -> None:
        """Note a function that costs as much as differences do.

        Raises:
            Pending: the rubric leaves that to a person.
        """
        spec = run.spec
        usual = next((case for case in cases if case.group == BASE_GROUP), None)
        if run.forgiven or usual is None:
            return
        if run.context.goes_on() and spec.function != spec.forward and _is_quick(run, usual):
            return
        run.module.mute()  # how often it is called from here on depends on the machine
        other, longest = spec.forward, "1 to 3 times"
        if spec.function == spec.forward:
            other, longest = "the reference", "about"
            larger = cost.enlarged(usual)
            right = getattr(
                run.context.assignment.solution(run.context.question.module), spec.function
            )
            found = cost.beside(
                lambda: run.forward(larger), lambda: right(*larger.arguments.values())
            )
        else:
            found = cost.ratio(*_timed(run), usual)
        if found is None:
            return
        text = (
            f"{spec.function} takes {found:.0f} times as long as {other} on larger inputs; "
            f"gradients by formulas take {longest} as long. Are they computed by differences?"
        )
        if spec.costly == "pending":
            source = run.context.read_file(run.context.question.module)
            raise Pending(text, run.module.file, source.decode("utf-8", "replace")[:MAX_SHOWN])
        run.module.notes.append(text)


def _is_quick(run: GradientRun, case: SolvedCase) -> bool:
    """Say whether the function clearly costs little: of a pure program the worker can tell."""
    spec, larger = run.spec, cost.enlarged(case)
    kept = tuple(spec.returns.index(name) for name in spec.opaque)
    forward = FunctionCall(spec.forward, tuple(larger.arguments.values()), kept)
    backward = FunctionCall(spec.function, tuple(larger.cotangents.values()))
    times = run.module.times(forward, backward)
    return times is not None and times[1] < cost.FAR_FROM_MANY * cost.MANY * times[0]


def _timed(
    run: GradientRun,
) -> tuple[Callable[[SolvedCase], dict[str, Any]], Callable[[SolvedCase, dict[str, Any]], object]]:
    """Return calls of the two functions whose outputs stay in the worker: only time counts."""
    spec, module, gradients = run.spec, run.module, list(run.spec.gradients)

    def forward(case: SolvedCase) -> dict[str, Any]:
        return module.call(spec.forward, case.arguments, spec.returns, spec.returns)

    def backward(case: SolvedCase, own: dict[str, Any]) -> object:
        given = {f"d{name}": value for name, value in case.cotangents.items()}
        arguments = given | {name: own[name] for name in spec.opaque}
        return module.call(spec.function, arguments, gradients, gradients)

    return forward, backward
