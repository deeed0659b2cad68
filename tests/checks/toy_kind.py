"""A kind of check that lives outside the engine: one file, and one line in the registry."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from grader.assignment.reference import Assignment
from grader.checks import CheckKind, Context, Judgement, Recorder
from grader.checks.numerics import as_array
from grader.model import FunctionSpec, Part, Question

LINE = {"total": "tests.checks.toy_kind:TotalKind"}


class TotalSpec(FunctionSpec):
    """Rubric keys of ``total``: the sum of what ``sum_of`` returns, within ``percent``."""

    sum_of: str
    percent: Annotated[float, Field(gt=0)] = 1.0

    @property
    def functions(self) -> tuple[str, ...]:
        """Both functions."""
        return (self.function, self.sum_of)


class TotalKind(CheckKind):
    """Compares sums, and nothing else."""

    name = "total"
    options = TotalSpec

    def problems(
        self, spec: TotalSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what the reference lacks."""
        for function in spec.functions:
            if function not in assignment.defined(question.module.removesuffix(".py")):
                yield f"sum_of: the reference has no {function}"

    def record(self, spec: TotalSpec, recorder: Recorder) -> bool:
        """Record the cases."""
        cases = recorder.assignment.solved(
            recorder.question.module, spec.sum_of, ["value"], [], recorder.seed
        )
        recorder.cases(spec.sum_of, cases)
        return True

    def run(self, spec: TotalSpec, context: Context) -> Judgement:
        """Compare the sums of the first case."""
        case = context.assignment.solved(
            context.question.module, spec.sum_of, ["value"], [], context.seed
        )[0]
        with context.open_module(context.seed) as module:
            found = module.call(spec.sum_of, case.arguments, ["value"])["value"]
        array = as_array(found)
        total = float("nan") if array is None else float(array.sum())
        wanted = float(case.expected["value"].sum())
        right = bool(np.isclose(total, wanted, rtol=spec.percent / 100))
        wrong = () if right else ("mismatch", f"the sum is {total:.2f}, expected {wanted:.2f}")
        return Judgement((Part("total", 1.0, float(right), *wrong),), (), {"total": total})
