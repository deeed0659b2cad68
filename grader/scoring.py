"""From parts to points. Pure functions; the only place where points are computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.errors import Cause, Reason
from grader.model import CheckResult, Outcome, Part, Status

POINT_DIGITS = 4  # finer than any gradebook, coarse enough to hide the rounding of binary fractions
FULL = 1.0 - 1.0e-9


def outcome_of(parts: Sequence[Part]) -> Outcome:
    """Return ``passed`` if every part is fully earned, ``failed`` if none is at all."""
    if all(part.earned >= FULL for part in parts):
        return "passed"
    return "failed" if all(part.earned <= 0 for part in parts) else "partial"


def is_full(parts: Sequence[Part]) -> bool:
    """Say whether every part has earned all that it can."""
    return bool(parts) and all(part.earned == 1 for part in parts)


def points_of(parts: Sequence[Part], max_points: float) -> float:
    """Return the points that the parts earn together."""
    return round(max_points * sum(part.share * part.earned for part in parts), POINT_DIGITS)


def reason_of(parts: Sequence[Part]) -> Reason | None:
    """Return the reason of the part that lost the most points (the first of equals)."""
    part = _costliest(parts)
    return None if part is None else part.reason


def cause_of(parts: Sequence[Part]) -> Cause | None:
    """Return the cause of that part, so that a check's reason and its cause belong together."""
    part = _costliest(parts)
    return None if part is None else part.cause


def _costliest(parts: Sequence[Part]) -> Part | None:
    lost = [part for part in parts if part.earned < FULL and part.reason is not None]
    return max(lost, key=lambda part: part.share * (1 - part.earned), default=None)


def total(results: Sequence[CheckResult]) -> float:
    """Return the sum of the points of the results, extra credit included."""
    return points_total(result.points for result in results)


def points_total(points: Iterable[float]) -> float:
    """Return the sum of these points."""
    return round(sum(points), POINT_DIGITS)


def status_of(results: Sequence[CheckResult]) -> Status:
    """Return ``broken`` if any check is, else ``pending`` if any is, else ``complete``."""
    return status_from({result.outcome for result in results})


def status_from(outcomes: Iterable[str]) -> Status:
    """Return the status of a report whose checks have these outcomes."""
    found = set(outcomes)
    if "broken" in found:
        return "broken"
    return "pending" if "pending" in found else "complete"


def outcome_of_points(points: float, max_points: float) -> Outcome:
    """Return the outcome of a check that a person gave ``points`` of ``max_points``."""
    if points >= max_points * FULL:
        return "passed"
    return "failed" if points <= 0 else "partial"
