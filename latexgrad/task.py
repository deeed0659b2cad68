"""What an author asks for: the equations, the gradients, and what each is worth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SHARES_ROUNDING = 1.0e-9

Letter = Annotated[str, Field(pattern="^[A-SU-Z]$")]  # T counts the steps
Given = Literal["total", "direct"]


class TaskError(Exception):
    """A task that makes no sense: ``problems`` holds a key and a text for each problem.

    A key is empty if the problem has no single key.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{key}: {text}" if key else text for key, text in problems))
        self.problems = tuple(problems)


class Task(BaseModel):
    r"""One part of a derivation, as an author writes it.

    ``section`` matches the heading of the graded part, ``other_sections`` those of other parts;
    formulas below ``earlier_sections`` may be used. Where headings only number the parts, this one
    is the ``part``-th of ``parts``, and those of ``earlier_parts`` may be used. ``shapes`` gives
    the dimensions of inputs, states and parameters (none for a number), ``forward`` the equations
    in the order of computation; what has an index t is computed at each step. ``given`` are the
    values on which each step's own loss depends, ``loss`` is the loss where it is to be
    differentiated itself, ``one_hot`` are inputs with a single 1, such as labels; ``also_total``
    are others whose total gradient may be taken as given, ``given_as`` says which meaning an answer
    may give to these gradients. ``gates`` lists the labels of gates with their other names, for
    which the label ``g`` stands; ``aliases`` other names of values. ``quantities`` gives each
    gradient its part of the points. ``sizes`` are those of the random points; with ``T: 1``, or no
    T, a single step is looked at. ``follow_through`` is the fraction for what is right except for
    an earlier mistake in the same part, ``earlier_follow_through`` except for one in an earlier
    part.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    section: str
    other_sections: str = "(?!)"
    earlier_sections: str = "(?!)"
    part: Annotated[int, Field(ge=0)] = 0
    parts: Annotated[int, Field(ge=0)] = 0
    earlier_parts: list[Annotated[int, Field(ge=1)]] = []
    shapes: Annotated[dict[str, Annotated[list[Letter], Field(max_length=2)]], Field(min_length=1)]
    forward: str
    given: list[str] = []
    loss: str = ""
    one_hot: list[str] = []
    also_total: list[str] = []
    given_as: Annotated[list[Given], Field(min_length=1)] = ["direct"]
    gates: dict[str, list[str]] = {}
    aliases: dict[str, list[str]] = {}
    quantities: Annotated[
        dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)
    ]
    sizes: Annotated[list[dict[str, Annotated[int, Field(ge=1, le=8)]]], Field(min_length=1)]
    follow_through: Annotated[float, Field(ge=0, le=1)] = 0.5
    earlier_follow_through: Annotated[float, Field(ge=0, le=1)] = 1.0

    @field_validator("section", "other_sections", "earlier_sections")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _complete(self) -> Task:
        total = sum(self.quantities.values())
        if abs(total - 1) > SHARES_ROUNDING:
            raise ValueError(f"quantities add up to {total:g}, not 1")
        letters = sorted({letter for dims in self.shapes.values() for letter in dims})
        named = " and ".join([", ".join(letters[:-1]), letters[-1]] if letters[1:] else letters)
        for size in self.sizes:
            if set(size) - {"T"} != set(letters):
                raise ValueError(f"each of sizes needs {named}, and may have T")
            if len({1, *(size[letter] for letter in letters)}) <= len(letters):
                raise ValueError(f"{named} must be different, and more than 1")
        if any(number > self.parts for number in (self.part, *self.earlier_parts)):
            raise ValueError("part and earlier_parts count up to parts")
        if bool(self.given) == bool(self.loss):
            raise ValueError("either 'given' or 'loss' must say what the loss depends on, not both")
        return self

    @property
    def one_step(self) -> bool:
        """Whether time has a single step."""
        return all(size.get("T", 1) == 1 for size in self.sizes)
