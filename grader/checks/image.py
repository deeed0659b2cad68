"""Kind ``image``: generated images, judged by recomputing what they were optimized for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from grader.assignment.reference import Assignment
from grader.errors import BrokenError
from grader.model import Part, Question, Strict

from .base import Context, Judgement
from .driven import (
    DrivenSpec,
    FindsNames,
    Properties,
    drive,
    driven_problems,
    judged,
    property_parts,
    unearned,
)
from .drivers import Dotted, function_problems


class Ratios(Strict):
    """The loss relative to the reference's: points are full up to one, none from the other."""

    full_at: Annotated[float, Field(ge=1)]
    zero_at: Annotated[float, Field(gt=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Ratios:
        if self.zero_at <= self.full_at:
            raise ValueError(f"zero_at ({self.zero_at:g}) must be above full_at ({self.full_at:g})")
        return self


class ImageTiers(Strict):
    """Ratios of both tiers of data."""

    mini: Ratios
    full: Ratios


class ImageSpec(DrivenSpec, Properties):
    """Rubric keys of ``image``.

    The judge's ``values`` are, for each image, its loss divided by that of the reference
    optimization: any optimizer that gets as low is as good. Each image has an equal part of what
    ``properties`` leave.
    """

    judge: Dotted
    tiers: ImageTiers


class ImageKind(FindsNames):
    """Lets student code optimize, and the assignment's judge recompute the losses."""

    name = "image"
    options = ImageSpec

    def problems(
        self, spec: ImageSpec, question: Question, assignment: Assignment
    ) -> Iterator[str]:
        """Yield what does not fit the reference's drivers, data sets and judges."""
        del question
        yield from driven_problems(spec, assignment)
        yield from function_problems("judge", "judges", spec.judge, assignment)

    def run(self, spec: ImageSpec, context: Context) -> Judgement:
        """Turn each image's loss ratio into points, linearly between the rubric's two."""
        limits: Ratios = getattr(spec.tiers, context.tier)
        notes: list[str] = []
        result, data = drive(spec, context, context.seed, notes)
        evidence = judged(spec, spec.judge, context, result, data)
        if not evidence.values:
            raise BrokenError(f"the judge {spec.judge} measured no image")
        reasons = {finding.name: finding.message for finding in evidence.findings}
        share = spec.rest / len(evidence.values)
        parts = []
        for name, ratio in evidence.values.items():
            earned = _earned(ratio, limits)
            if earned == 1:
                parts.append(Part(name, share, 1.0))
                continue
            message = (
                f"{name}: the loss of your image is {ratio:.4g} times the reference's; points are "
                f"full up to {limits.full_at:g} and none from {limits.zero_at:g} times"
            )
            if reasons.get(name):
                message += f". {reasons[name]}"
            parts.append(Part(name, share, earned, "below_threshold", message))
        others = tuple(property_parts(spec.properties, evidence.findings, spec.judge))
        if all(part.earned == 0 for part in parts):
            others = tuple(unearned(others))
        measured = {"loss_ratio": dict(evidence.values), **evidence.measurements}
        figures = tuple(evidence.figures)
        everything = (*parts, *others)
        return Judgement(everything, (*notes, *evidence.notes), measured, figures=figures)


def _earned(ratio: float, limits: Ratios) -> float:
    if not math.isfinite(ratio):
        return 0.0
    return min(1.0, max(0.0, (limits.zero_at - ratio) / (limits.zero_at - limits.full_at)))
