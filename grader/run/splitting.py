"""The checks of one submission in several processes, where there are more processes than work.

A class keeps all processes busy. A single submission, or the last ones of a class, would leave some
of them idle while others train networks, one after the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.job import Submitted
from grader.model import Rubric
from grader.reports import joining, stored
from grader.reports.report import Report

WORTH_S = 300.0  # a submission whose checks may take less is not worth another process


@dataclass(frozen=True)
class Graded:
    """A report that is not written yet: of a whole submission, or of a part of its checks.

    Attributes:
        report: the report.
        pictures: what its figures show, by the name of the file.
        started: when grading began, in seconds since the epoch; None if nothing was run.
    """

    report: Report
    pictures: dict[str, bytes] = field(default_factory=dict)
    started: float | None = None


def split(rubric: Rubric, submitted: Sequence[Submitted], at_a_time: int) -> list[Submitted]:
    """Return what is submitted, with those in parts that would not keep all processes busy.

    The limits of the checks say what takes long; the longest ones come first.
    """
    limits = {check.id: check.timeout_s for q in rubric.questions for check in q.checks}
    whole = len(submitted) - len(submitted) % at_a_time
    found = list(submitted[:whole])
    for one in submitted[whole:]:
        if at_a_time > 1 and sum(limits[name] for name in one.wanted) >= WORTH_S:
            found += _parts(one, limits, at_a_time)
        else:
            found.append(one)
    return found


def _parts(one: Submitted, limits: dict[str, float], count: int) -> list[Submitted]:
    """Return a submission once for each part of its checks: the longest first, evenly."""
    loads = [(0.0, number, list[str]()) for number in range(count)]
    for name in sorted(one.wanted, key=lambda name: (-limits[name], name)):
        load, number, names = heapq.heappop(loads)
        heapq.heappush(loads, (load + limits[name], number, [*names, name]))
    filled = [names for _load, _number, names in sorted(loads, key=lambda item: item[1]) if names]
    if len(filled) == 1:
        return [one]
    return [
        replace(one, wanted=frozenset(names), earlier=None, part=number, parts=len(filled))
        for number, names in enumerate(filled)
    ]


class Parts:
    """Puts together what the parts of submissions give.

    Args:
        rubric: the rubric.
        out: the folder of the reports.
        submitted: all submissions, before they were split.
    """

    def __init__(self, rubric: Rubric, out: Path | None, submitted: Sequence[Submitted]) -> None:
        self._rubric = rubric
        self._out = out or Path()
        self._whole = {one.identifier: one for one in submitted}
        self._found: dict[str, list[Graded]] = {}

    def add(self, one: Submitted, graded: Graded) -> Graded | None:
        """Take a part; return the whole if it is the last one."""
        found = self._found.setdefault(one.identifier, [])
        found.append(graded)
        if len(found) < one.parts:
            return None
        del self._found[one.identifier]
        reports = [other.report for other in found if other.report.questions]
        pictures = {name: data for other in found for name, data in other.pictures.items()}
        earlier = self._whole[one.identifier].earlier
        if earlier is not None:
            reports.append(earlier)
            before = stored.Stored(self._out / one.identifier, earlier)
            pictures = stored.pictures(before) | pictures
        report = reports[0] if reports else found[0].report
        for more in reports[1:]:
            report = joining.joined(self._rubric, report, more)
        # A part may have broken before any check was run.
        broken = [other.report for other in found if not other.report.questions]
        if broken and reports:
            report = joining.broken_beside(broken[0], report)
        starts = [other.started for other in found if other.started is not None]
        return Graded(report, pictures, min(starts, default=None))
