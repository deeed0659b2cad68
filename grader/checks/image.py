"""Kind ``image``: generated images, judged by recomputing what they were optimized for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from grader.author.evidence import Evidence
from grader.errors import BrokenError
from grader.model import Part, Strict, Tier

from .base import Context
from .drivers import Dotted
from .judged import JudgedKind, JudgedSpec, Scale, Scored

RATIOS = "loss_ratio"


class Ratios(Scale):
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

    def of(self, tier: Tier) -> Ratios:
        """Return the ratios of a tier."""
        return self.mini if tier == "mini" else self.full


class ImageSpec(JudgedSpec):
    """Rubric keys of ``image``.

    The judge's value ``loss_ratio`` is, for each image by name, its loss divided by that of the
    reference optimization: any optimizer that gets as low is as good. Each image has an equal part
    of what ``properties`` leave.
    """

    judge: Dotted
    tiers: ImageTiers


class ImageKind(JudgedKind):
    """Lets student code optimize, and the assignment's judge recompute the losses."""

    name = "image"
    options = ImageSpec

    def scored(self, spec: ImageSpec, context: Context, evidence: Evidence) -> Scored:
        """Turn each image's loss ratio into points."""
        ratios, others = _ratios(evidence)
        if not ratios:
            raise BrokenError(f"the judge {spec.judge} measured no image")
        reasons = {finding.name: finding.message for finding in evidence.findings}
        parts = _parts(ratios, spec.tiers.of(context.tier), spec.rest / len(ratios), reasons)
        return Scored(tuple(parts), {RATIOS: dict(ratios), **others})


def _ratios(evidence: Evidence) -> tuple[Mapping[str, float], Mapping[str, Any]]:
    """Return the ratio of each image, and the judge's other values."""
    found = evidence.values.get(RATIOS)
    if not isinstance(found, Mapping):  # a judge with nothing but images among its values
        return evidence.values, evidence.measurements
    others = {name: value for name, value in evidence.values.items() if name != RATIOS}
    return found, {**others, **evidence.measurements}


def _parts(
    ratios: Mapping[str, float], limits: Ratios, share: float, reasons: Mapping[str, str]
) -> Iterator[Part]:
    for name, ratio in ratios.items():
        earned = limits.earned(ratio)
        if earned == 1:
            yield Part(name, share, 1.0)
            continue
        message = (
            f"{name}: the loss of your image is {ratio:.4g} times the reference's; you get full "
            f"points up to {limits.full_at:g} times and none from {limits.zero_at:g} times"
        )
        if reasons.get(name):
            message += f". {reasons[name]}"
        yield Part(name, share, earned, "below_threshold", message)
