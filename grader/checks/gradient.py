"""Kind ``gradient``: each returned gradient separately, against the reference.

Where the student's own forward is wrong, a gradient may still be right for it: that is found out
with float64 central differences of that forward.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from grader.assignment.reference import Assignment
from grader.model import Fraction, FunctionSpec, Part, Question, Shares, Sized, Tolerances

from .base import (
    CheckKind,
    Context,
    Judgement,
    Recorder,
    case_by_case,
    in_lines,
    name_problems,
)
from .gradient_run import GradientRun


class GradientSpec(FunctionSpec, Tolerances, Shares, Sized):
    """Rubric keys of ``gradient``.

    ``gradients`` maps each returned gradient, in order, to the argument of ``forward`` it belongs
    to. ``function`` is called with one cotangent for each output of ``forward`` in ``returns`` that
    is not ``opaque``, and then the opaque ones. If ``function`` is ``forward`` itself, the
    gradients are among its own ``returns`` and belong to the one output that is neither.
    ``shares`` weighs the gradients (equal by default). ``groups`` restricts the cases (default:
    all). ``edge_share`` is the part of each gradient's points that is lost if it is wrong in the
    edge cases only. ``follow_through`` is the fraction for a gradient that is right for the
    student's own wrong forward, or built from the student's own wrong ``builds_on`` functions.
    """

    forward: str
    returns: Annotated[list[str], Field(min_length=1)]
    opaque: list[str] = []
    gradients: Annotated[dict[str, str], Field(min_length=1)]
    groups: list[str] = []
    mutation: Literal["note", "fail"] = "note"
    builds_on: list[str] = []
    follow_through: Fraction = 0.0
    edge_share: Fraction = 0.2

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, its forward, and those that they build on."""
        return (self.function, self.forward, *self.builds_on)

    @property
    def forgives(self) -> bool:
        """Whether a wrong forward, or wrong ``builds_on`` functions, cost points elsewhere."""
        return self.follow_through > 0

    @property
    def values(self) -> list[str]:
        """The outputs of ``forward`` that are compared and differentiated."""
        return [n for n in self.returns if n not in self.opaque and n not in self.gradients]


class GradientKind(CheckKind):
    """Compares every gradient with the reference's, elementwise, each for its own share."""

    name = "gradient"
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
        yield from name_problems(spec)
        if spec.builds_on and assignment.composition(question.module, spec.function) is None:
            yield f"builds_on: the case file has no COMPOSITIONS entry for {spec.function}"

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

    def run(self, spec: GradientSpec, context: Context) -> Judgement:
        """Judge all cases in one worker; each calls forward anew before backward."""
        cases = context.assignment.solved_gradients(
            context.question.module, spec.forward, spec.returns, spec.opaque,
            spec.function, list(spec.gradients), context.seed, spec.drawn,
        )  # fmt: skip
        cases = tuple(case for case in cases if not spec.groups or case.group in spec.groups)
        run = GradientRun(spec, context)
        parts: tuple[Part, ...] = ()
        notes: list[str] = []
        for module, is_there in case_by_case(context, cases, run.compare_case):
            run.module = module
            if is_there:
                run.stubs.settle()
                skipped = {case.name for case in run.skipped()}
                parts = tuple(run.parts(tuple(c for c in cases if c.name not in skipped)))
            notes += module.notes + module.mutation_notes()
        measured = {"largest_relative_difference": run.largest, "cases": len(cases)}
        return Judgement(parts, tuple(notes), measured, in_lines(parts, run.alike))
