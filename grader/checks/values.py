"""Kind ``values``: what a driver returns, from the student's module and from the reference.

For whatever takes more than one call: a method of a class, a loss with its gradient by autograd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from grader.assignment.reference import Assignment, SolvedCase
from grader.author.cases import BASE_GROUP, EDGE_CASES
from grader.checks.measured import LargestDifferences
from grader.checks.numerics import Comparison, compare, tolerance
from grader.errors import BrokenError, Cause, Failure, Pending, Reason, WorkerLost
from grader.model import (
    SHARES_ROUNDING,
    Fraction,
    FunctionSpec,
    Part,
    Positive,
    Question,
    Shares,
    Sized,
    Tolerances,
    own_names,
)

from . import apart, cost, fault
from .base import CheckKind, Context, Judgement, Recorder, Stubs, Tally
from .driven import DRIVER_OR_CALL
from .drivers import NO_PATH, Call, Dotted, OwnDriver, function_problems, name_problems
from .fault import Doubts
from .forwards import MAX_SHOWN
from .mistakes import GivenValues, explain
from .replies import bytes_for
from .student_code import ForeignFailure, StudentModule


class ValuesSpec(FunctionSpec, Tolerances, Shares, Sized):
    """Rubric keys of ``values``.

    ``driver`` names ``reference/drivers/<file>.<function>``, which gets the module and the
    arguments of a case and returns a dictionary of arrays; the same driver runs the reference.
    Where a plain call is enough, ``call`` names the arguments that the function is given, in order;
    ``outputs`` then names what it returns. ``grad`` names arguments of a function written in torch:
    arrays are handed over as tensors, and the output ``d<name>`` is the gradient of what the
    function returns with respect to the argument ``<name>``, by automatic differentiation.
    ``cases`` is the generator in the case file (default: ``function``). ``outputs`` gives each
    output, and ``shares`` each group of cases, its part of the points; ``edge_cases`` earn nothing
    while all other groups earn nothing. ``builds_on`` are functions that other checks are
    about, as ``module.function`` where they are in another module; ``follow_through`` is the
    fraction for what is right once they are. ``larger`` names a generator of larger cases, on which
    right outputs must not take many times as long as the reference's, as gradients by differences
    do; ``costly`` says what becomes of those.
    """

    driver: Dotted | None = None
    call: list[str] | None = None
    grad: list[str] = []
    cases: str = ""
    outputs: Annotated[dict[str, Positive], Field(min_length=1)]
    builds_on: list[str] = []
    follow_through: Fraction = 0.0
    larger: str = ""
    costly: Literal["note", "pending"] = "note"

    @model_validator(mode="after")
    def _outputs_add_up(self) -> ValuesSpec:
        if abs(sum(self.outputs.values()) - 1) > SHARES_ROUNDING:
            raise ValueError(f"outputs add up to {sum(self.outputs.values()):g}, not 1")
        return self

    @model_validator(mode="after")
    def _one_driver(self) -> ValuesSpec:
        plain = self.call is not None or bool(self.grad)
        if (self.driver is not None) == plain:
            raise ValueError(DRIVER_OR_CALL)
        if missing := [name for name in self.grad if f"d{name}" not in self.outputs]:
            raise ValueError(f"outputs: d{missing[0]} is missing, the gradient by {missing[0]}")
        return self

    @property
    def runs(self) -> OwnDriver | Call:
        """What runs beside student code."""
        if self.driver is not None:
            return OwnDriver(self.driver, self.function)
        gradients = {f"d{name}" for name in self.grad}
        returned = tuple(name for name in self.outputs if name not in gradients)
        arguments = None if self.call is None else tuple(self.call)
        return Call(self.function, arguments, returned, tuple(self.grad))

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, and those of its module that it builds on."""
        return (self.function, *own_names(self.builds_on))

    @property
    def case_names(self) -> tuple[str, ...]:
        """The functions, and the generator of the cases."""
        return (*self.functions, self.generator, *([self.larger] if self.larger else []))

    @property
    def forgives(self) -> bool:
        """Whether wrong helper functions cost points elsewhere."""
        return self.follow_through > 0

    @property
    def generator(self) -> str:
        """The name of the case generator."""
        return self.cases or self.function

    @property
    def groups(self) -> dict[str, float]:
        """The share of each group of cases."""
        return self.shares or {BASE_GROUP: 1.0}


class _OutputResult(NamedTuple):
    """What one output of one case earns, and what is wrong with it."""

    reason: Reason | None = None
    message: str = ""
    earned: float = 1.0
    cause: Cause | None = None
    ratio: float | None = None
    compared: Comparison | None = None


Tallies = dict[tuple[str, str], Tally]


class ValuesKind(CheckKind):
    """Compares every output of a driver with what it gets from the reference."""

    name = "values"
    options = ValuesSpec

    def problems(
        self, spec: ValuesSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers and cases."""
        cases = assignment.cases(question.module, spec.generator, 0, spec.drawn)
        if spec.larger:
            assignment.cases(question.module, spec.larger, 0)
        if spec.driver is not None:
            yield from function_problems("driver", "drivers", spec.driver, assignment)
        else:
            yield from name_problems("call", spec.call or (), list(cases[0].arguments))
            known = list(cases[0].arguments) if spec.call is None else spec.call
            yield from name_problems("grad", spec.grad, known)
        groups = {case.group for case in cases}
        if spec.follow_through and not spec.builds_on:
            yield "follow_through: needs builds_on, the functions graded elsewhere"
        for name in sorted(set(spec.groups) - groups):
            yield f"shares: no case belongs to the group {name!r} (there are {sorted(groups)})"
        for name in sorted(groups - set(spec.groups)):
            yield f"shares: the cases' group {name!r} has no share"

    def disagreements(
        self, spec: ValuesSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what the reference does not do as the check and the case file say; runs it."""
        from . import agreement

        yield from agreement.values_problems(spec, question, assignment)

    def record(self, spec: ValuesSpec, recorder: Recorder) -> bool:
        """Record the driver and its results, unless only the assignment can compare them."""
        assignment, module = recorder.assignment, recorder.question.module
        if assignment.comparison(module, spec.generator) is not None:
            return False
        if (own := spec.runs.source(assignment)) is not None:
            recorder.driver(*own)
        recorder.cases(
            spec.generator,
            assignment.driven(module, spec.runs, spec.generator, recorder.seed, spec.drawn),
        )
        return True

    def reply_bytes(self, spec: ValuesSpec, context: Context) -> int:
        """Return the room for the outputs that the driver makes of the reference."""
        return bytes_for(
            context.assignment.driven(
                *(context.question.module, spec.runs, spec.generator, context.seed, spec.drawn)
            )
        )

    def run(self, spec: ValuesSpec, context: Context) -> Judgement:
        """Judge all cases in one worker."""
        module_name = context.question.module
        cases = context.assignment.driven(
            *(module_name, spec.runs, spec.generator, context.seed, spec.drawn)
        )
        if absent := [name for name in spec.outputs if name not in cases[0].expected]:
            raise BrokenError(f"{spec.runs.words} returns no {', '.join(absent)}")
        tallies: Tallies = {(o, g): Tally() for o in spec.outputs for g in spec.groups}
        doubts, stubs, largest = Doubts(), Stubs(), LargestDifferences()
        given: dict[str, Found] = {}
        try:
            with context.open_module(context.worker_seed) as module:
                for case in cases:
                    given[case.name] = _case(spec, context, module, case, doubts, stubs)
                    for output, found in given[case.name].items():
                        message = f"case {case.name}: {found.message}"
                        tallies[output, case.group].add(
                            found.earned, found.reason, message, found.cause, found.ratio
                        )
                        if found.compared is not None:
                            largest.note(output, found.compared)
                if all(tally.reason is None for tally in tallies.values()):
                    _look_at_cost(spec, context, module)
        finally:
            doubts.settle(context)
        stubs.settle()
        _look_at_mistakes(spec, context, cases, given, tallies)
        parts = tuple(_part(spec, output, tallies) for output in spec.outputs)
        measured = {**largest.measurements, "cases": len(cases)}
        return Judgement(parts, tuple(module.notes), measured, _message(parts))


def _look_at_cost(spec: ValuesSpec, context: Context, module: StudentModule) -> None:
    """Note right outputs that take as long as gradients by differences do.

    Raises:
        Pending: the rubric leaves that to a person.
    """
    if not (spec.larger and context.assignment.can_answer):
        return  # a student's machine has no reference to compare with
    module.mute()  # how often it is called from here on depends on the machine
    name, assignment = context.question.module, context.assignment
    solution, drive = assignment.solution(name), spec.runs
    for case in assignment.driven(name, drive, spec.larger, context.seed):
        inputs = case.arguments
        found = cost.beside(
            partial(drive.beside, module, assignment, inputs),
            partial(drive.here, solution, assignment, inputs),
        )
        if found is not None:
            text = (
                f"case {case.name}: {spec.function} takes {found:.0f} times as long as the "
                "reference. Are gradients computed by differences?"
            )
            if spec.costly == "pending":
                source = context.read_file(name).decode("utf-8", "replace")
                raise Pending(text, module.file, source[:MAX_SHOWN])
            module.notes.append(text)
            return


Found = dict[str, _OutputResult]


def _case(
    spec: ValuesSpec,
    context: Context,
    module: StudentModule,
    case: SolvedCase,
    doubts: Doubts,
    stubs: Stubs,
) -> Found:
    """Return what is wrong with each output of a case."""

    def drive(on: StudentModule) -> Any:
        return spec.runs.beside(on, context.assignment, case.arguments)

    try:
        got = drive(module)
    except WorkerLost:
        raise
    except Failure as failed:
        if isinstance(failed, ForeignFailure):
            doubts.add((spec.id, case.name), spec.runs.words, drive)
        stubs.add(failed)
        context.compared(module, case, failed, function=spec.function)
        return _all(spec, failed.reason, failed.message, failed.cause)
    stubs.add(None)
    if type(got) is not dict:
        return _all(spec, "wrong_dtype", f"{spec.function} gave no readable result")
    return _compared(spec, context, module, case, got)


def _all(spec: ValuesSpec, reason: Reason, message: str, cause: Cause | None = None) -> Found:
    return dict.fromkeys(spec.outputs, _OutputResult(reason, message, 0.0, cause))


def _compared(
    spec: ValuesSpec,
    context: Context,
    student: StudentModule,
    case: SolvedCase,
    got: dict[Any, Any],
) -> Found:
    """Compare all outputs of a case with what is expected."""
    module = context.question.module
    own = context.assignment.comparison(module, spec.generator)
    if own is None:
        return {name: _output(spec, context, student, case, name, got) for name in spec.outputs}
    compared, words = own, f"COMPARISONS of {spec.generator}"
    cases = context.assignment.driven(module, spec.runs, spec.generator, context.seed, spec.drawn)
    number = next(n for n, one in enumerate(cases) if one.arguments is case.arguments)
    given = {"case": number, "got": got, "expected": case.expected}
    try:
        wrong = apart.run(
            *(context, spec, f"the result of {spec.function}", words, "comparison"),
            lambda there: compared(cases[there["case"]].arguments, there["got"], there["expected"]),
            given,
        )
    except apart.MadeUpError as error:
        try:
            own(case.arguments, dict(case.expected), case.expected)
        except Exception as ours:
            raise BrokenError(f"{words} fails on the reference: {fault.described(ours)}") from ours
        text = f"the result of {spec.function} cannot be read: {error}"
        return _all(spec, "wrong_dtype", text)
    if wrong is None:
        return dict.fromkeys(spec.outputs, _OutputResult())
    context.compared(student, case, Failure("mismatch", wrong), got, spec.function)
    return _all(spec, "mismatch", wrong)


def _output(
    spec: ValuesSpec,
    context: Context,
    module: StudentModule,
    case: SolvedCase,
    name: str,
    got: dict[Any, Any],
) -> _OutputResult:
    if name not in got:
        return _OutputResult("wrong_shape", f"{spec.function}: {name} is missing", 0.0)
    if got[name] is None and name.removeprefix("d") in spec.grad:
        text = NO_PATH.format(function=spec.function)
        return _OutputResult("mismatch", f"{name}: {text}", 0.0)
    limit = tolerance(spec, case)
    found = compare(name, got[name], case.expected[name], limit)
    context.compared(module, case, found, got[name])
    found = replace(found, given=got[name])
    if found.ok:
        return _OutputResult(compared=found)
    return _OutputResult(found.reason, found.text, 0.0, found.cause, found.ratio, found)


def _look_at_mistakes(
    spec: ValuesSpec,
    context: Context,
    cases: Sequence[SolvedCase],
    given: Mapping[str, Found],
    tallies: Tallies,
) -> None:
    """Name the known mistake that gives the same output in all cases of a group."""
    for (output, group), tally in tallies.items():
        here = [
            (case, found, GivenValues(case, {output: found.given}, tolerance(spec, case)))
            for case in cases
            if case.group == group and (found := given[case.name][output].compared) is not None
        ]
        wrong = next(((case, found) for case, found, _values in here if not found.ok), None)
        if wrong is not None and len(here) == tally.cases:
            explain(tally, context, spec.generator, wrong, [values for *_, values in here])


def _part(spec: ValuesSpec, output: str, tallies: Tallies) -> Part:
    groups = {group: tallies[output, group] for group in spec.groups}
    earned = {group: share * groups[group].earned for group, share in spec.groups.items()}
    others = [group for group in spec.groups if group != EDGE_CASES]
    if EDGE_CASES in earned and not any(earned[group] for group in others):
        earned[EDGE_CASES] = 0.0
    wrong = [(group, tally) for group, tally in groups.items() if tally.reason is not None]
    if not wrong:
        return Part(output, spec.outputs[output], 1.0)
    # If the common cases fail, a list of special ones does not help.
    common = [(group, tally) for group, tally in wrong if group != EDGE_CASES] or wrong
    group, tally = common[0]
    message = tally.summary if group == BASE_GROUP else f"{group}: {tally.summary}"
    if others := [name for name, _tally in common[1:]]:
        message += f"; also wrong: {', '.join(others)}"
    total = sum(earned.values())
    return Part(output, spec.outputs[output], total, tally.reason, message, tally.cause)


def _message(parts: tuple[Part, ...]) -> str | None:
    """Return one message for all outputs: the first wrong one, and which others are wrong too.

    They usually have the same reason; the report has the message of each.
    """
    wrong = [part for part in parts if part.message]
    if len(wrong) < 2:  # noqa: PLR2004
        return None
    others = [part.name for part in wrong[1:] if part.message != wrong[0].message]
    return f"{wrong[0].message}\nalso wrong: {', '.join(others)}" if others else wrong[0].message
