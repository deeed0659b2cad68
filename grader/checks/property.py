"""Kind ``property``: findings about the values that student code produced."""

from __future__ import annotations

from pydantic import model_validator

from grader.model import SHARES_ROUNDING

from .drivers import Dotted
from .judged import JudgedKind, JudgedSpec


class PropertySpec(JudgedSpec):
    """Rubric keys of ``property``: each of ``properties`` has its share, together 1."""

    judge: Dotted

    @model_validator(mode="after")
    def _complete(self) -> PropertySpec:
        if self.rest > SHARES_ROUNDING:
            total = sum(self.properties.values())
            raise ValueError(f"properties add up to {total:g}, not 1")
        return self


class PropertyKind(JudgedKind):
    """Runs student code once; the judge decides about each property."""

    name = "property"
    options = PropertySpec
