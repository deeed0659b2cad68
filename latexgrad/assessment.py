"""The result for an answer, as plain data: numbers and texts, for whoever reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Why points are lost: the formula is missing, or its shape or value is wrong.
Shortfall: TypeAlias = Literal["missing", "shape", "value"]

# What is wrong with a formula. These are names to count by: they stay when messages change.
MistakeKind: TypeAlias = Literal[
    # One change makes the formula right.
    "sign",
    "transposed",
    "order_of_factors",
    "time_index",
    "range_of_sum",
    "sum_missing",
    "sum_left_over",
    "factor_missing",
    "factor_left_over",
    "term_left_over",
    "slope",
    "function",
    "symbol",
    "total_or_direct",
    "constant_factor",
    # It is right except for a path to the loss, the steps before the last, or the last step.
    "path_missing",
    "recursion",
    "base_case",
    # It has no value, or a value of the wrong kind.
    "shapes",
    "not_finite",
    "undefined",
    "unbound_index",
    "another_step",
    "circular",
    "not_worked_out",
    # It is right, but what it builds on is not.
    "follow_through",
]


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a formula: the kind of mistake, if known, and a description."""

    kind: MistakeKind | None
    text: str


@dataclass(frozen=True)
class Waiting:
    """A person must look: at line and column, or at the whole file where these are None."""

    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class AssessedQuantity:
    """One line of the task's ``quantities``.

    ``earned`` is the fraction of ``share`` that is earned. Where it is less than one, ``shortfall``
    and ``message`` say why. ``mistake`` is the first that was found in formulas that are there.
    If it is ``waiting``, a person must look: then ``earned`` is what is decided, and more may be.
    """

    name: str
    share: float
    earned: float
    shortfall: Shortfall | None = None
    message: str = ""
    mistake: Mistake | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True)
class AssessedFormula:
    """A formula as it was read: its place, its MathML, and its verdict in words.

    ``source`` is the formula as it was written; ``mathml`` is empty if it could not be read.
    """

    line: int
    mathml: str
    source: str
    verdict: str


@dataclass(frozen=True)
class Assessed:
    """Quantities with their verdicts, some of which may wait for a person.

    ``message`` says what is wrong, each mistake once; it is None if nothing is. ``notes`` cost no
    points: how the answer was read, and what of it was not.
    """

    quantities: tuple[AssessedQuantity, ...]
    formulas: tuple[AssessedFormula, ...]
    notes: tuple[str, ...] = ()
    message: str | None = None


@dataclass(frozen=True)
class Unanswered:
    """There is nothing that could earn points; ``blank`` means that there is no formula at all."""

    message: str
    blank: bool = False


Assessment: TypeAlias = Assessed | Unanswered | Waiting
