"""What all parts of a report have in common."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

Item = TypeVar("Item")
Items = Annotated[tuple[Item, ...], Strict(strict=False)]  # a list in JSON
Points = Annotated[float, Field(ge=0)]


def is_absent(value: object) -> bool:
    """Say whether a key is left out."""
    return value is None


class Reported(BaseModel):
    """Base of all parts of a report: frozen, strict in its types.

    Keys that are not known are kept and written back: a later version may add some. What this
    version writes has none, and the schema says so.
    """

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        strict=True,
        defer_build=True,
        json_schema_extra={"additionalProperties": False},
        json_schema_serialization_defaults_required=True,
    )
