"""Puts a person's marks into reports without running anything again.

All marks are checked before any report changes. The grader's own points and message stay in the
report, below ``marked.machine``, so that an appeal can be traced and a mark corrected.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader import scoring
from grader.deliver.marking import anonymous
from grader.deliver.marking.marks import Mark
from grader.errors import BrokenError
from grader.readers.problems import Problems
from grader.readers.texts import did_you_mean, plain, quoted
from grader.reports import gradebook, overview
from grader.reports.report import CheckReport, Marked, Report
from grader.reports.stored import Stored, check_ids, pictures
from grader.reports.written import write_reports


@dataclass(frozen=True)
class Applied:
    """A mark that changes a report, and the points the check had before."""

    mark: Mark
    before: float
    max_points: float
    overrides: bool


@dataclass
class Plan:
    """What marks do to reports.

    Attributes:
        reports: all reports as they will be, by the submission's id.
        applied: the marks that change something.
        already: how many marks are in the reports as they are.
        problems: why a mark does not fit its report, one line each.
    """

    reports: dict[str, Report]
    applied: list[Applied] = field(default_factory=list)
    already: int = 0
    problems: Problems = field(default_factory=Problems)

    @property
    def changed(self) -> set[str]:
        """The ids of the submissions whose report changes."""
        return {applied.mark.submission for applied in self.applied}


def plan(stored: Mapping[str, Stored], marks: Sequence[Mark], *, override: bool) -> Plan:
    """Return what the marks do; the given reports do not change.

    ``override`` allows marks for checks that the grader has decided itself.
    """
    made = Plan({name: one.report for name, one in stored.items()})
    for mark in anonymous.resolved(marks, stored):
        problem = _misfit(made, mark, override=override)
        if problem is not None:
            made.problems.extend([mark.problem(problem)])
        if problem is not None or not mark.usable:
            continue
        report = made.reports[mark.submission]
        check = report.by_id()[mark.check]
        marked = _marked(check, mark)
        if check.marked == marked.marked:
            made.already += 1
            continue
        overrides = check.machine.outcome != "pending"
        made.applied.append(Applied(mark, check.points, check.max_points, overrides))
        made.reports[mark.submission] = report.with_check(marked)
    return made


def _marked(check: CheckReport, mark: Mark) -> CheckReport:
    """Return a check as a person marked it."""
    marked = Marked(
        points=mark.points,
        comment=mark.comment,
        by=mark.by,
        file=mark.file,
        machine=check.machine,
    )
    return check.model_copy(
        update={
            "marked": marked,
            "points": mark.points,
            "outcome": scoring.outcome_of_points(mark.points, check.max_points),
            # Reasons and causes are the machine's; a person gives a comment.
            "reason": None,
            "cause": None,
            "message": mark.comment,
        }
    )


def _misfit(made: Plan, mark: Mark, *, override: bool) -> str | None:
    """Say why a mark cannot be put into its report, or None if it can."""
    report = made.reports.get(mark.submission)
    if report is None:
        return _no_report(mark.submission, list(made.reports))
    who = f"{mark.submission} {mark.check}"
    checks = report.by_id()
    check = checks.get(mark.check)
    if check is None and not checks:
        return f"{who}: the report is broken and has no checks; grade it again, then mark it"
    if check is None:
        known = ", ".join(checks)
        return (
            f"the report of {mark.submission} has no check {quoted(mark.check)} (it has: {known})"
        )
    digest = report.submission.sha256 or ""
    if mark.sha256 and not digest.startswith(mark.sha256):
        return (
            f"{who}: a different version of the submission was marked (sha256 {mark.sha256}, the "
            f"report has {digest[: len(mark.sha256)] or 'none'}); look at the new version, or "
            "clear that cell"
        )
    most = check.max_points
    if mark.usable and mark.points > most:
        given = plain(mark.points)
        return f"{who}: points: {given} is more than the check's {plain(most)}"
    return _settled(mark, check, who, override=override)


def _no_report(submission: str, known: Sequence[str]) -> str:
    if submission.startswith(anonymous.PREFIX):
        return (
            f"no report has the anonymous name {submission}; was the work handed in again after "
            "the page was written?"
        )
    return f"there is no report for {quoted(submission)}{did_you_mean(submission, known)}"


def _settled(mark: Mark, check: CheckReport, who: str, *, override: bool) -> str | None:
    if check.outcome == "broken":
        return f"{who}: the grader failed in this check; grade the submission again, then mark it"
    machine = check.machine
    same = check.marked
    repeated = same is not None and (same.points, same.comment) == (mark.points, mark.comment)
    if override or repeated:
        return None
    if machine.outcome == "pending":
        return _decided(mark, check, who)
    had = f"{plain(machine.points)} of {plain(check.max_points)}"
    return (
        f"{who} is not pending: it is {machine.outcome} with {had} points; to replace that with "
        "a person's decision, add --override"
    )


def limits(check: CheckReport) -> tuple[float, float]:
    """Return the least and the most points that a person may give for a pending check."""
    waiting = [part for part in check.parts if part.undecided]
    if not waiting:
        return 0.0, check.max_points
    least = check.machine.points
    most = least + sum(part.max_points - part.points for part in waiting)
    return least, round(most, scoring.POINT_DIGITS)


def _decided(mark: Mark, check: CheckReport, who: str) -> str | None:
    """Say why a mark does not fit the parts that are decided, or None if it does."""
    waiting = [part for part in check.parts if part.undecided]
    least, most = limits(check)
    if not waiting or not mark.usable or least <= mark.points <= most:
        return None
    names = ", ".join(part.name for part in waiting)
    verb = "waits" if len(waiting) == 1 else "wait"
    return (
        f"{who}: points: {plain(mark.points)} is not from {plain(least)} to {plain(most)}: only "
        f"{names} {verb} for a person; to replace what is decided, add --override"
    )


def write(made: Plan, stored: Mapping[str, Stored], folder: Path, out: Path) -> None:
    """Write the changed reports, then the gradebook and the overview, below ``out``.

    If ``out`` is another folder than ``folder``, the reports that do not change are copied.

    Raises:
        BrokenError: something cannot be written.
    """
    columns = _columns(folder / "gradebook.csv", list(made.reports.values()))
    listed = len(stored) > 1 or (folder / "gradebook.csv").is_file()
    for name, one in stored.items():
        target = out / one.folder.relative_to(folder)
        if out != folder:
            try:
                shutil.copytree(one.folder, target, dirs_exist_ok=True)
            except (OSError, shutil.Error) as error:
                raise BrokenError(f"{target} cannot be written: {error}") from None
        if name in made.changed:
            write_reports(target, made.reports[name], None, pictures(one))
    if listed:
        gradebook.write_columns(out / "gradebook.csv", columns, list(made.reports.values()))
        overview.write_index(out, list(made.reports.values()), columns)


def _columns(path: Path, reports: Sequence[Report]) -> list[str]:
    """Return the checks that a gradebook lists: those it has, then any others of the reports.

    The gradebook of a run has a column for every check of the rubric, which a report does not
    know of if the check was not run.
    """
    there = gradebook.columns_of(path)
    return [*there, *(check for check in check_ids(reports) if check not in there)]
