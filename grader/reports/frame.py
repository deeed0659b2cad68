"""What a report knows of a hand-in beside its files: how late it was, and which group's it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from grader import lateness
from grader.lateness import Lateness
from grader.model import LateSpec
from grader.reports.reported import Items, Points, Reported, is_absent

Days = Annotated[int, Field(ge=0)]


class LateReport(Reported):
    """How late a submission is, by which rule, and what that costs.

    ``score_before`` is the score without it and ``points`` what is taken off; both are null where
    there is no grade. Of a submission that is ``at_least`` so late, the time is not known.
    """

    days: Annotated[int, Field(ge=1)]
    at_least: bool
    over: Annotated[bool, Field(description="handed in after the last accepted day")]
    handed_in: str | None
    due: str | None
    per_day: Annotated[float, Field(ge=0, le=1)]
    of: Literal["max_score", "score"]
    free_days: Days
    bank_days: Annotated[int, Field(ge=0, description="taken from the course's late days")]
    bank_left: Days | None
    score_before: Points | None = None
    points: Points | None = None

    @classmethod
    def of_lateness(
        cls, policy: LateSpec, late: Lateness, handed_in: str | None = None, due: str | None = None
    ) -> LateReport | None:
        """Return what a report says of a submission; None if it was in time."""
        if late.days == 0:
            return None
        return cls(
            days=late.days,
            at_least=late.at_least,
            over=late.over,
            handed_in=handed_in,
            due=due,
            per_day=policy.per_day,
            of=policy.of,
            free_days=policy.free_days,
            bank_days=late.bank_days,
            bank_left=late.bank_left,
        )

    @property
    def unsettled(self) -> LateReport:
        """The same without what it costs, which follows from the score."""
        return self.model_copy(update={"score_before": None, "points": None})

    def settled(self, score: float | None, max_score: float) -> LateReport:
        """Return the same with what it costs of a score."""
        points = None
        if score is not None:
            points = lateness.deduction(self._policy, self._lateness, score, max_score)
        return self.model_copy(update={"score_before": score, "points": points})

    def text(self, *, told: bool = True) -> str:
        """Return the line for a student; without numbers of points unless ``told``."""
        return lateness.late_text(self._policy, self._lateness, self.points or 0.0, told=told)

    @property
    def _policy(self) -> LateSpec:
        return LateSpec(per_day=self.per_day, of=self.of, free_days=self.free_days)

    @property
    def _lateness(self) -> Lateness:
        return Lateness(self.days, self.over, self.bank_days, self.bank_left, self.at_least)


class MemberReport(Reported):
    """A member of a group, as far as the list of groups says; ``canvas_id`` is Canvas's number."""

    name: Annotated[str | None, Field(exclude_if=is_absent)] = None
    id: Annotated[str | None, Field(exclude_if=is_absent)] = None
    login: Annotated[str | None, Field(exclude_if=is_absent)] = None
    email: Annotated[str | None, Field(exclude_if=is_absent)] = None
    canvas_id: Annotated[str | None, Field(exclude_if=is_absent)] = None

    @property
    def shown(self) -> str:
        """How people name the member."""
        return self.name or self.login or self.email or self.id or self.canvas_id or ""


class GroupReport(Reported):
    """The group that handed in together."""

    name: str
    members: Items[MemberReport]


class Frame(Reported):
    """What a report says of a hand-in that its files do not tell."""

    late: LateReport | None = None
    group: GroupReport | None = None
