"""The nouns: what a rubric declares and what grading produces. Frozen, without behavior."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from grader.author.evidence import Figure
from grader.errors import Cause, Reason

Array = np.ndarray[Any, Any]
Tier = Literal["mini", "full"]
Device = Literal["cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda")
TIERS: tuple[Tier, ...] = ("mini", "full")
Outcome = Literal["passed", "partial", "failed", "blocked", "pending", "broken"]
Status = Literal["complete", "pending", "broken"]
Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
ModuleName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.py$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Base of everything read from a rubric: frozen, and unknown keys are errors."""

    # Of most kinds no check is read, least of all on a student's machine: built at first use.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Limited(Strict):
    """Limits of the worker that runs a check (see ``grader.isolation.sandbox.Limits``)."""

    # A day, a terabyte, a gigabyte: beyond them a slip of the pen is likelier than a wish.
    timeout_s: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] = 20.0
    memory_mb: Annotated[int, Field(ge=16, le=1 << 20)] = 1024
    output_kb: Annotated[int, Field(ge=1, le=1 << 20)] = 1024


@dataclass(frozen=True)
class Signature:
    """What the rubric says of a function that students write.

    ``outputs`` is how many values it returns; those at the positions ``opaque`` are caches, which
    only the function ``reader`` of the same program reads.
    """

    module: str
    function: str
    outputs: int
    opaque: tuple[int, ...] = ()
    reader: str = ""

    @property
    def name(self) -> str:
        """The function with its module, as other checks name it."""
        return f"{self.module.removesuffix('.py')}.{self.function}"


class CheckSpec(Limited):
    """One check of a rubric: the keys that every kind has. A kind adds its own."""

    id: Id
    title: str
    points: Positive
    kind: str
    visibility: Visibility = "visible"
    hint: str = ""
    extra_credit: bool = False
    module: ModuleName | None = None
    withhold_text: bool | None = None  # None: exceptions only, where the data are secret

    # Keys whose values are not for students, with what a student's bundle holds in their place.
    kept_back: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    @property
    def functions(self) -> tuple[str, ...]:
        """The names it calls in the module, the one it is about first; none if it runs no code."""
        return ()

    def key_of(self, name: str) -> str:
        """Return the key under which the rubric names one of the functions."""
        for key, value in self.model_dump().items():
            if value == name or (isinstance(value, list) and name in value):
                return key
        return "function"

    @property
    def case_names(self) -> tuple[str, ...]:
        """What a case file may call generators and entries of its dictionaries for this check."""
        return self.functions

    def rests_on(self, module: str) -> list[str]:
        """Return the functions that other checks are about and it builds on, by their full names.

        Args:
            module: the module of the check, which names in ``builds_on`` need not say.
        """
        named: list[str] = getattr(self, "builds_on", [])
        own = module.removesuffix(".py")
        return [name if "." in name else f"{own}.{name}" for name in named]

    def signatures(self, module: str) -> tuple[Signature, ...]:
        """Return what the check says of functions of its ``module``."""
        del self, module
        return ()

    @property
    def other_files(self) -> tuple[str, ...]:
        """The files it looks at in place of the question's module, in the order of preference."""
        return ()

    @property
    def structure_share(self) -> float:
        """The part of its points that the solution of another question must not earn."""
        return 1.0

    @property
    def forgives(self) -> bool:
        """Whether it takes less, or nothing, for what follows from a mistake made before."""
        return False

    def for_students(self) -> dict[str, Any]:
        """Return its keys as a student's bundle holds them: those that differ from the defaults."""
        keys: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        keys |= {"kind": self.kind, "id": self.id}
        return {key: self.kept_back.get(key, value) for key, value in keys.items()}


class FunctionSpec(CheckSpec):
    """The key of every kind that runs student code: the function or class that a check is about."""

    function: str

    @property
    def functions(self) -> tuple[str, ...]:
        """The one function."""
        return (self.function,)


def own_names(builds_on: Iterable[str]) -> list[str]:
    """Return those of the names in ``builds_on`` that are functions of a check's own module."""
    return [name for name in builds_on if "." not in name]


class Tolerances(Strict):
    """How far values may be off, by the precision of the inputs.

    ``|actual - expected| <= atol + max(rtol * |expected|, rtol_of_largest * max |expected|)``. The
    last part is for entries that cancel: sums of large numbers that nearly vanish carry the
    rounding of the large ones. It is never more than ``rtol``.
    """

    rtol: NonNegative = 1.0e-6
    rtol_of_largest: NonNegative = 1.0e-6
    atol: NonNegative = 1.0e-9
    rtol_float32: NonNegative = 1.0e-3
    atol_float32: NonNegative = 1.0e-5


# What a case generator is called with, case by case: the group, and arguments by name.
Sizes = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]


class Sized(Strict):
    """Mixin: what the case generator is called with besides its ``rng``, by group of cases."""

    sizes: dict[
        str,
        Annotated[
            list[Annotated[dict[str, bool | int | float | str], Field(min_length=1)]],
            Field(min_length=1),
        ],
    ] = {}

    @property
    def drawn(self) -> Sizes:
        """The same, case by case, as a key of a cache."""
        return tuple((g, tuple(size.items())) for g, sizes in self.sizes.items() for size in sizes)


class Defaults(Limited, Tolerances):
    """Values for every check of the rubric that does not set its own."""


def points_sum(checks: Iterable[CheckSpec]) -> float:
    """Return what the checks are worth together; extra credit comes on top of that."""
    return round(sum(check.points for check in checks if not check.extra_credit), 6)


@dataclass(frozen=True)
class Question:
    """One question: a module that students hand in, and its checks.

    ``supplied`` are the assignment's own copies of the files that students are given;
    ``forbidden`` the packages that its code must do without.
    """

    id: str
    title: str
    module: str
    preload: tuple[str, ...]
    checks: tuple[CheckSpec, ...]
    supplied: tuple[Path, ...] = ()
    forbidden: tuple[str, ...] = ()

    @property
    def max_score(self) -> float:
        """The sum of the points of its checks, without extra credit."""
        return points_sum(self.checks)

    @property
    def modules(self) -> tuple[str, ...]:
        """The module and those that single checks name instead."""
        named = (check.module for check in self.checks)
        return tuple(dict.fromkeys([self.module, *(name for name in named if name is not None)]))

    def of(self, check: CheckSpec) -> Question:
        """Return the question as it is for a check, which may look at another module."""
        return self if check.module is None else replace(self, module=check.module)


class LateSpec(Strict):
    """What late submissions lose: ``per_day`` of the full points, or of those earned, a day.

    Hours count as a whole day. ``free_days`` cost nothing; after ``max_days`` nothing is left.
    ``bank_days`` are days that cost a student nothing, once in all homeworks of a course.
    """

    per_day: Fraction
    of: Literal["max_score", "score"] = "max_score"
    grace_minutes: NonNegative = 0.0
    free_days: Annotated[int, Field(ge=0)] = 0
    bank_days: Annotated[int, Field(ge=0)] | None = None
    max_days: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _free_days_count(self) -> LateSpec:
        if self.max_days is not None and self.free_days > self.max_days:
            raise ValueError(f"free_days is {self.free_days}, more than max_days {self.max_days}")
        return self


class RateLimitSpec(Strict):
    """How many submissions are graded within so many hours."""

    submissions: Annotated[int, Field(ge=1)]
    hours: Positive = 24.0


class LeaderboardSpec(Strict):
    """A column of the leaderboard: a measurement of a check."""

    title: Annotated[str, Field(min_length=1)]
    check: Id
    measurement: Annotated[str, Field(min_length=1)]
    order: Literal["desc", "asc"] = "desc"


@dataclass(frozen=True)
class Policies:
    """A rubric's settings for the platform that submissions come from."""

    late: LateSpec | None = None
    rate_limit: RateLimitSpec | None = None
    leaderboard: tuple[LeaderboardSpec, ...] = ()


LEAST_BUDGET_S = 600.0  # of a submission, where the rubric says nothing


@dataclass(frozen=True)
class Rubric:
    """A whole, validated rubric."""

    path: Path
    assignment: str
    title: str
    seed: int
    reference: Path
    questions: tuple[Question, ...]
    policies: Policies = Policies()
    budget_s: float | None = None

    @property
    def whole_s(self) -> float:
        """The seconds that grading one submission may take.

        Unless the rubric says it, half of what all checks may take together: honest programs need
        a small part of their limits. Two checks may still use all of the longest limit there is.
        """
        if self.budget_s is not None:
            return self.budget_s
        limits = [check.timeout_s for question in self.questions for check in question.checks]
        return max(LEAST_BUDGET_S, 2 * max(limits, default=0.0), sum(limits) / 2)

    @property
    def max_score(self) -> float:
        """The points of the whole assignment."""
        return round(sum(question.max_score for question in self.questions), 6)


class QuestionSpec(Strict):
    """The keys of a question as written in the rubric."""

    id: Id
    title: str
    points: Positive
    module: ModuleName
    preload: list[Literal["numpy", "torch", "matplotlib"]] = ["numpy"]
    supplied: list[Annotated[str, Field(pattern=r"^\w[\w.-]*$")]] = []
    forbidden: list[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]] = []
    checks: Annotated[list[dict[str, Any]], Field(min_length=1)]


class RubricSpec(Strict):
    """The keys of a rubric as written."""

    assignment: Id
    title: str
    points: Positive
    seed: Annotated[int, Field(ge=0)] = 0
    budget_s: Annotated[float, Field(gt=0, le=7 * 86400, allow_inf_nan=False)] | None = None
    reference: str = "reference"
    template: str = "submissions_template"
    defaults: Defaults = Defaults()
    late: LateSpec | None = None
    rate_limit: RateLimitSpec | None = None
    leaderboard: Annotated[list[LeaderboardSpec], Field(min_length=1)] | None = None
    questions: Annotated[list[QuestionSpec], Field(min_length=1)]


SHARES_ROUNDING = 1.0e-9


class Shares(Strict):
    """Mixin: named shares of a check's points; they add up to one."""

    shares: dict[str, Positive] = {}

    @model_validator(mode="after")
    def _add_up(self) -> Shares:
        if self.shares and abs(sum(self.shares.values()) - 1) > SHARES_ROUNDING:
            raise ValueError(f"shares add up to {sum(self.shares.values()):g}, not 1")
        return self


@dataclass(frozen=True)
class Part:
    """One separately scored share of a check, such as one gradient.

    ``share`` is its part of the check's points and ``earned`` the fraction of it that is earned;
    what an ``undecided`` one may earn beyond that, a person decides.
    """

    name: str
    share: float
    earned: float
    reason: Reason | None = None
    message: str = ""
    cause: Cause | None = None
    undecided: bool = False


@dataclass(frozen=True)
class CheckResult:
    """The result of one check, as it stands in the report.

    One that is ``unreached`` says that time or memory were too short: another run may reach it.
    """

    spec: CheckSpec
    outcome: Outcome
    points: float
    reason: Reason | None = None
    message: str = ""
    cause: Cause | None = None
    hint: str = ""
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    seed: int | None = 0
    duration_s: float = 0.0
    measurements: dict[str, Any] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    output: str = ""
    unreached: bool = False
