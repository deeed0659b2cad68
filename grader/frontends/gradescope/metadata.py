"""``submission_metadata.json``: what the platform says about a submission.

Source: Gradescope autograder documentation, "Submission Metadata". An extension of one student is
in ``users[].assignment``, with the same names of dates as in ``assignment``. Of the previous
submissions only the latest carries ``results``; ``autograder_error`` marks a run that failed
through no fault of the student's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from grader.readers import moments

MAX_BYTES = 64 * 1024 * 1024  # it holds the results of all earlier submissions
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Earlier:
    """An earlier submission of the same student or group.

    ``results`` are empty where the platform does not tell them; ``failed`` if the autograder did.
    """

    at: datetime
    score: float | None
    results: dict[str, Any]
    failed: bool = False


@dataclass(frozen=True)
class Metadata:
    """What is known about a submission; None where the platform says nothing.

    ``due`` and ``late_due`` are the latest that any of the students in the group has.
    """

    created: datetime | None = None
    due: datetime | None = None
    late_due: datetime | None = None
    earlier: tuple[Earlier, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: Path) -> Metadata:
    """Read the metadata; what is missing or malformed is None and named in ``problems``."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Metadata(problems=(f"{path.name} is longer than {MAX_BYTES} bytes",))
        data = json.loads(path.read_bytes())
    except OSError as error:
        return Metadata(problems=(f"{path.name} cannot be read: {error.strerror}",))
    except (ValueError, RecursionError):
        return Metadata(problems=(f"{path.name} is not JSON",))
    if not isinstance(data, dict):
        return Metadata(problems=(f"{path.name} is not a JSON object",))
    problems: list[str] = []
    created = _moment(data, "created_at", problems)
    own = [
        user["assignment"]
        for user in _items(data.get("users"))
        if isinstance(user.get("assignment"), dict)
    ]
    general = data.get("assignment")
    dates = [*own, *([general] if isinstance(general, dict) else [])]
    due = _latest(dates, "due_date", problems)
    late_due = _latest(dates, "late_due_date", problems)
    return Metadata(created, due, late_due, tuple(_earlier(data, problems)), tuple(problems))


def _latest(dates: list[Any], key: str, problems: list[str]) -> datetime | None:
    found = [moment for item in dates if (moment := _moment(item, key, problems)) is not None]
    return max(found) if found else None


def _earlier(data: dict[str, Any], problems: list[str]) -> Iterator[Earlier]:
    for item in _items(data.get("previous_submissions")):
        at = _moment(item, "submission_time", problems)
        if at is None:
            continue
        results = item.get("results")
        results = results if isinstance(results, dict) else {}
        failed = item.get("autograder_error") in (True, "true")
        yield Earlier(at, _score(item.get("score")), results, failed)


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _score(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        score = float(value)
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _moment(data: dict[str, Any], key: str, problems: list[str]) -> datetime | None:
    """Return a date with its time zone (UTC where it names none)."""
    value = data.get(key)
    if value is None:
        return None
    try:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY004, TRY301 - one way for all that is not a date
        found = moments.moment(value)
    except ValueError:
        if len(problems) < MAX_PROBLEMS:
            shown = value if isinstance(value, str) else type(value).__name__
            problems.append(f"{key}: {shown[: moments.MAX_TEXT]!r} is not a date")
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)
