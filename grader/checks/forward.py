"""Kind ``forward``: outputs against the reference on generated and edge cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from grader.assignment.reference import Assignment, SolvedCase
from grader.author.cases import BASE_GROUP
from grader.checks import causes
from grader.checks.measured import LargestDifferences
from grader.checks.numerics import Comparison, compare, tolerance
from grader.errors import Failure, WorkerLost
from grader.model import (
    Fraction,
    FunctionSpec,
    Part,
    Question,
    Shares,
    Signature,
    Sized,
    Tolerances,
    own_names,
)

from . import reference_mutants
from .at_once import forward_calls
from .base import CheckKind, Context, Judgement, Recorder, Stubs, Tally, case_by_case
from .mistakes import NAMED, GivenValues, explain, named
from .reference_mutants import explanation
from .replies import bytes_for
from .student_code import StudentModule


class ForwardSpec(FunctionSpec, Tolerances, Shares, Sized):
    """Rubric keys of ``forward``.

    ``returns`` names the outputs in order; those in ``opaque`` (a cache) are not looked at.
    ``sizes`` are what the case generator is called with, by group of cases.
    ``shares`` gives each group of cases its part of the points; the group ``values`` comes first
    and without it the others earn nothing. ``builds_on`` are functions that other
    checks are about; ``follow_through`` is the fraction for what is right once they are.
    """

    returns: Annotated[list[str], Field(min_length=1)]
    opaque: list[str] = []
    exact_dtype: bool = False
    mutation: Literal["note", "fail"] = "note"
    builds_on: list[str] = []
    follow_through: Fraction = 0.0

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, and those that it builds on."""
        return (self.function, *own_names(self.builds_on))

    def signatures(self, module: str) -> tuple[Signature, ...]:
        """What the function returns."""
        opaque = tuple(i for i, name in enumerate(self.returns) if name in self.opaque)
        return (Signature(module, self.function, len(self.returns), opaque),)

    @property
    def forgives(self) -> bool:
        """Whether wrong ``builds_on`` functions cost points elsewhere."""
        return self.follow_through > 0


class ForwardKind(CheckKind):
    """Compares every output with the reference's, elementwise."""

    name = "forward"
    options = ForwardSpec
    asks_at_once = True

    def problems(
        self, spec: ForwardSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's functions and cases."""
        groups = {
            case.group for case in assignment.cases(question.module, spec.function, 0, spec.drawn)
        }
        yield from assignment.function_problems(question.module, spec)
        yield from _group_problems(spec.shares, groups)
        for name in spec.opaque:
            if name not in spec.returns:
                yield f"opaque: {name!r} is not one of the outputs in returns"
        if spec.follow_through and not spec.builds_on:
            yield "follow_through: needs builds_on, the functions graded elsewhere"

    def disagreements(
        self, spec: ForwardSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what the reference does not do as the check and the case file say; runs it."""
        from . import agreement

        yield from agreement.forward_problems(spec, question.module, assignment)

    def record(self, spec: ForwardSpec, recorder: Recorder) -> bool:
        """Record the cases with the reference's outputs."""
        cases = recorder.assignment.solved(
            *(recorder.question.module, spec.function, spec.returns, spec.opaque),
            *(recorder.seed, spec.drawn),
        )
        recorder.cases(spec.function, cases)
        return True

    def reply_bytes(self, spec: ForwardSpec, context: Context) -> int:
        """Return the room for the outputs that the reference gives."""
        return bytes_for(_cases(spec, context))

    def prepare(self, spec: ForwardSpec, context: Context) -> None:
        """Find out what changes of the reference give."""
        reference_mutants.prepare(spec, context, _cases(spec, context))

    def run(self, spec: ForwardSpec, context: Context) -> Judgement:
        """Judge all cases in one worker."""
        cases = _cases(spec, context)
        groups: dict[str, Tally] = {name: Tally() for name in _shares(spec)}
        largest = LargestDifferences()
        stubs = Stubs()
        notes: list[str] = []
        given = GivenOutputs()

        def judge_case(module: StudentModule, case: SolvedCase) -> None:
            group = groups[case.group]
            try:
                earned, worst = _compare_case(spec, context, module, case, largest, given)
            except Failure as failed:
                context.only_right()
                context.compared(module, case, failed, function=spec.function)
                stubs.add(failed)
                message = f"case {case.name}: {failed.message}"
                group.add(0.0, failed.reason, message, failed.cause)
                if isinstance(failed, WorkerLost):
                    raise
                return
            stubs.add(None)
            message = f"case {case.name}: {worst.text}"
            group.add(earned, worst.reason, message, worst.cause, worst.ratio)

        calls_of = partial(forward_calls, spec)
        for module, _is_there in case_by_case(context, cases, judge_case, calls_of):
            notes += module.notes + module.mutation_notes()
        stubs.settle()
        _look_at_mistakes(spec, context, cases, given, groups)
        _look_at_changes(spec, context, cases, given, groups[BASE_GROUP])
        return Judgement(
            tuple(_parts(spec, groups)),
            tuple(notes),
            {**largest.measurements, "cases": len(cases)},
            # If the common cases fail, a list of special ones does not help.
            groups[BASE_GROUP].summary if groups[BASE_GROUP].earned == 0 else None,
        )


def _cases(spec: ForwardSpec, context: Context) -> tuple[SolvedCase, ...]:
    return context.assignment.solved(
        *(context.question.module, spec.function, spec.returns, spec.opaque),
        *(context.seed, spec.drawn),
    )


class GivenOutputs:
    """What a student's function gave by case, and the first thing that was wrong in each group."""

    def __init__(self) -> None:
        self.by_case: dict[str, Mapping[str, Any]] = {}
        self.firsts: dict[str, tuple[SolvedCase, Comparison]] = {}

    def note(self, case: SolvedCase, outputs: Mapping[str, Any], found: Comparison | None) -> None:
        """Take the outputs of a case, and what is wrong with them."""
        self.by_case[case.name] = outputs
        if found is not None:
            self.firsts.setdefault(case.group, (case, found))


def _look_at_mistakes(
    spec: ForwardSpec,
    context: Context,
    cases: Sequence[SolvedCase],
    given: GivenOutputs,
    groups: Mapping[str, Tally],
) -> None:
    """Name in each group the known mistake that gives the same in all of its cases."""
    for group, first in given.firsts.items():
        outputs = [
            GivenValues(case, given.by_case[case.name], tolerance(spec, case), case.group == group)
            for case in cases
            if case.name in given.by_case
        ]
        explain(groups[group], context, spec.function, first, outputs, all_outputs=True)


def _look_at_changes(
    spec: ForwardSpec,
    context: Context,
    cases: Sequence[SolvedCase],
    given: GivenOutputs,
    ordinary: Tally,
) -> None:
    """Name the change of the reference that gives the same in all ordinary cases, if none is."""
    if BASE_GROUP not in given.firsts:
        return
    case, found = given.firsts[BASE_GROUP]
    if found.reason not in NAMED or causes.explains(ordinary.cause):
        return
    outputs = [
        {name: given.by_case[case.name][name] for name in case.expected}
        if case.name in given.by_case
        else None
        for case in cases
    ]
    text = explanation(spec, context, cases, outputs)
    if text is not None:
        better = named(found, spec.function, text)
        ordinary.explain(f"case {case.name}: {better.text}", causes.of_mistake(spec.function, text))


def _shares(spec: ForwardSpec) -> dict[str, float]:
    return spec.shares or {BASE_GROUP: 1.0}


def _group_problems(shares: dict[str, float], groups: set[str]) -> Iterator[str]:
    named = set(shares) or {BASE_GROUP}
    if named and BASE_GROUP not in named:
        yield f"shares: the group {BASE_GROUP!r} has no share"
    for name in sorted(named - groups - {BASE_GROUP}):
        yield f"shares: no case belongs to the group {name!r} (there are {sorted(groups)})"
    for name in sorted(groups - named - {BASE_GROUP}):
        yield f"shares: the cases' group {name!r} has no share"


def _compare_case(
    spec: ForwardSpec,
    context: Context,
    module: StudentModule,
    case: SolvedCase,
    largest: LargestDifferences,
    given: GivenOutputs,
) -> tuple[float, Comparison]:
    """Return the earned fraction of a case, and its first output that is wrong (or any)."""
    outputs = module.call(spec.function, case.arguments, spec.returns, spec.opaque)
    limit = tolerance(spec, case)
    found: Comparison | None = None
    for name, expected in case.expected.items():
        result = compare(name, outputs[name], expected, limit, exact_dtype=spec.exact_dtype)
        context.compared(module, case, result, outputs[name])
        largest.note(name, result)
        if not result.ok and found is None:
            found = result
    given.note(case, outputs, found)
    if found is not None:
        context.only_right()
    if found is None:
        if spec.mutation == "fail" and (names := module.mutated.get(spec.function)):
            changed = f"{spec.function} changes {', '.join(sorted(names))} in place"
            found = Comparison(spec.function, "mutated_input", changed)
            context.compared(module, case, found)
            return 0.0, found
        return 1.0, Comparison("all outputs")
    return 0.0, found


def _parts(spec: ForwardSpec, groups: dict[str, Tally]) -> Iterator[Part]:
    base = groups[BASE_GROUP]
    for name, share in _shares(spec).items():
        group = groups[name]
        if name != BASE_GROUP and base.earned == 0 and group.earned > 0:
            message = f"{name}: counts only once {BASE_GROUP} is right"
            yield Part(name, share, 0.0, base.reason, message, base.cause)
        else:
            label = f"{name}: " if name != BASE_GROUP and group.reason else ""
            message = label + group.summary
            yield Part(name, share, group.earned, group.reason, message, group.cause)
