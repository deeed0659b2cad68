"""``results.json`` at every moment of a run: at its beginning, in between, withheld, final.

Sources: Gradescope autograder documentation, "Output Format", "Leaderboards" and "Rate limiting
schemes". ``results.schema.json`` beside this file is the format as a JSON Schema.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.frontends.gradescope.metadata import Metadata
from grader.frontends.gradescope.policies import (
    LIMITED,
    RateLimited,
    lateness,
    limited_text,
    shown,
    was_limited,
)
from grader.model import LeaderboardSpec, RateLimitSpec, Rubric
from grader.readers.texts import hundredths
from grader.reports.building import with_unreached
from grader.reports.frame import Frame, LateReport
from grader.reports.report import Report
from grader.reports.results import gradescope, within_limit
from grader.scoring import POINT_DIGITS

UNFINISHED = (
    "THIS GRADE IS NOT COMPLETE: the grader was stopped before it had run all checks. Your "
    "instructor can run it again."
)
NOT_STARTED = (
    "The grader was stopped before it had run a check; this submission has no grade yet. Your "
    "instructor can run it again."
)
WITHHELD = "The grader failed; this submission has no grade yet. Your instructor can see why."
CUT_SHORT = "Not run: the grader was stopped before this check."
AFTER_LIMIT = "\n\n"  # between the words about the limit and those of the results
CARRIED_OVER = frozenset(
    ["score", "output", "output_format", "test_output_format", "test_name_format", "visibility"]
    + ["stdout_visibility", "extra_data", "tests", "leaderboard"]
)


@dataclass(frozen=True)
class GradedRun:
    """What is the same for every version of the results of one run."""

    rubric: Rubric
    metadata: Metadata
    wanted: frozenset[str]


def withheld(text: str = WITHHELD) -> dict[str, Any]:
    """Return results without a grade: neither a score nor tests, whose scores would be added up.

    The platform accepts only results that have one of the two, so it records no grade for these.
    """
    return {
        "output": within_limit(text),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": "broken"},
    }


def unfinished(run: GradedRun, made: Report, not_reached: Collection[str]) -> dict[str, Any]:
    """Return the results for the disk while the grader is running, in case it is stopped."""
    whole = with_unreached(run.rubric, made, run.wanted, CUT_SHORT)
    found = final(run, whole, {*not_reached, *(run.wanted - set(made.by_id()))})
    if "score" not in found:
        return found
    found["output"] = within_limit(f"{UNFINISHED}\n{found['output']}")
    found["extra_data"]["unfinished"] = True
    return found


def final(run: GradedRun, made: Report, not_reached: Collection[str]) -> dict[str, Any]:
    """Return the results for a report.

    Args:
        run: the rubric, the metadata, the wanted checks.
        made: the report.
        not_reached: the ids of the checks for which time or memory was too short.
    """
    if made.score is None:
        return withheld()
    order = [check.id for check in made.checks()]
    open_ids = [name for name in order if name in not_reached]
    if order and len(open_ids) == len(order):
        return withheld(_reasons(made))
    found = gradescope(with_lateness(run, made))
    lines = [_not_reached_text(open_ids)] if open_ids else []
    if open_ids:
        found["extra_data"]["not_reached"] = open_ids
    found["output"] = within_limit("\n".join([*lines, found["output"]]))
    board = leaderboard(run.rubric.policies.leaderboard, made)
    if board:
        found["leaderboard"] = board
    return found


def over_limit(rubric: Rubric, policy: RateLimitSpec, found: RateLimited) -> dict[str, Any]:
    """Return the results of the last graded submission, with the reason in front of them."""
    source = found.results or _score_alone(rubric, found)
    kept = {key: value for key, value in source.items() if key in CARRIED_OVER}
    extra = kept.get("extra_data")
    before = kept.get("output")
    before = before if isinstance(before, str) else ""
    if was_limited(source):
        before = before.partition(AFTER_LIMIT)[2]  # the last one that was not graded said so, too
    lines = [limited_text(policy, found), *([before] if before else [])]
    kept["output"] = within_limit(AFTER_LIMIT.join(lines))
    kept["extra_data"] = {**(extra if isinstance(extra, dict) else {}), LIMITED: True}
    return kept


def _score_alone(rubric: Rubric, found: RateLimited) -> dict[str, Any]:
    """Return results of which only the score is known.

    It is hidden where there are hidden checks, whose points it would tell: as a hidden test, which
    makes the platform hide the total, too.
    """
    checks = [check for question in rubric.questions for check in question.checks]
    public = all(check.visibility == "visible" for check in checks)
    score = None if found.last.score is None else hundredths(found.last.score)
    test = {
        "name": f"Submission of {shown(found.last.at)}",
        "score": score,
        "max_score": hundredths(rubric.max_score),
        "visibility": "visible" if public else "hidden",
    }
    return {
        "score": score,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [test],
    }


def leaderboard(columns: Collection[LeaderboardSpec], made: Report) -> list[dict[str, Any]]:
    """Return the columns of the leaderboard whose check has the measurement as a finite number."""
    checks = made.by_id()
    entries = []
    for column in columns:
        check = checks.get(column.check)
        value = check.measurements.get(column.measurement) if check is not None else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value):
            rounded = round(value, POINT_DIGITS)
            entries.append({"name": column.title, "value": rounded, "order": column.order})
    return entries


def with_lateness(run: GradedRun, made: Report) -> Report:
    """Return a report that says how late the submission is, and what that costs."""
    policy, told = run.rubric.policies.late, run.metadata
    found = lateness(policy, told) if policy is not None else None
    late = None
    if policy is not None and found is not None:
        late = LateReport.of_lateness(policy, found, _text(told.created), _text(told.due))
    return made.framed(Frame(late=late))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ", timespec="minutes")


def _not_reached_text(names: list[str]) -> str:
    count = f"{len(names)} check{'s were' if len(names) > 1 else ' was'} not run"
    return f"THIS GRADE IS NOT FINAL: {count} ({', '.join(names)})."


def _reasons(made: Report) -> str:
    """Say why nothing was graded: each different message once."""
    messages = [check.message for check in made.checks()]
    return "\n".join(["No check could be run; there is no grade yet.", *dict.fromkeys(messages)])
