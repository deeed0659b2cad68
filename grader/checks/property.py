"""Kind ``property``: facts about the values that student code produced."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from grader.assignment.reference import Assignment
from grader.model import SHARES_ROUNDING, Question

from .base import Context, Judgement
from .driven import (
    DrivenSpec,
    FindsNames,
    Properties,
    drive,
    driven_problems,
    judged,
    property_parts,
)
from .drivers import Dotted, function_problems


class PropertySpec(DrivenSpec, Properties):
    """Rubric keys of ``property``: each of ``properties`` has its share, together 1."""

    judge: Dotted

    @model_validator(mode="after")
    def _complete(self) -> PropertySpec:
        if self.rest > SHARES_ROUNDING:
            total = sum(self.properties.values())
            raise ValueError(f"properties add up to {total:g}, not 1")
        return self


class PropertyKind(FindsNames):
    """Runs a driver once; the judge decides about each property."""

    name = "property"
    options = PropertySpec

    def problems(
        self, spec: PropertySpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers, data sets and judges."""
        del question
        yield from driven_problems(spec, assignment)
        yield from function_problems("judge", "judges", spec.judge, assignment)

    def run(self, spec: PropertySpec, context: Context) -> Judgement:
        """Judge each property by itself."""
        notes: list[str] = []
        result, data = drive(spec, context, context.seed, notes)
        evidence = judged(spec, spec.judge, context, result, data)
        parts = property_parts(spec.properties, evidence.findings, spec.judge)
        measured = {**evidence.values, **evidence.measurements}
        return Judgement(
            tuple(parts),
            (*notes, *evidence.notes),
            measured,
            figures=tuple(evidence.figures),
        )
