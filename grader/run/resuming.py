"""Grading again: what earlier reports have already, and what is left to do.

A check is not run again if the files that were handed in and everything else that its grade depends
on (``basis.py``) are what they were when the report was written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.job import HandedIn, Submitted
from grader.model import Rubric
from grader.reports import joining, stored, written
from grader.reports.files import TEMPORARY
from grader.reports.report import CheckReport, Report

# The checks of a submission that is being graded, or of a part of it.
SO_FAR = f"{TEMPORARY}report-{{}}.json"
FRAME_KEYS = (b'"late": {', b'"group": {')  # in a text, their quotation marks would be escaped


@dataclass
class Remaining:
    """What is to be done, and what is done.

    Attributes:
        submitted: the submissions to grade, each with the checks to run and a report of the others.
        unchanged: the reports of those that need no grading.
        broken: how many checks in them, or in the reports of the others, are broken and stay so.
        marked: the checks with a person's marks that would be run again, by submission.
    """

    submitted: list[Submitted] = field(default_factory=list)
    unchanged: list[Report] = field(default_factory=list)
    broken: int = 0
    marked: dict[str, list[str]] = field(default_factory=dict)


def with_frames(out: Path, submitted: Sequence[Submitted]) -> tuple[dict[str, Report], list[str]]:
    """Return earlier reports that know more of a hand-in than its files tell.

    Returns:
        Those of the hand-ins that are there now, by id; and the ids of those that were late, and of
        which another hand-in is there now.
    """
    found: dict[str, Report] = {}
    replaced: list[str] = []
    for one in submitted:
        path = out / one.identifier / stored.REPORT
        with contextlib.suppress(OSError, ValueError):
            raw = path.read_bytes()
            if not any(key in raw for key in FRAME_KEYS):
                continue
            made = Report.read(raw)
            if one.basis is None or _is_same_hand_in(made, one.basis):
                found[one.identifier] = made
            elif made.late is not None:
                replaced.append(one.identifier)
    return found, replaced


def _is_same_hand_in(made: Report, basis: HandedIn) -> bool:
    """Say whether a report is of the same files; another grader may have made it."""
    about = made.submission
    if about.contents is not None:
        return about.contents == basis.contents
    return about.basis == basis.of(about.files)


def plan(
    rubric: Rubric,
    out: Path,
    submitted: Sequence[Submitted],
    bases: Mapping[str, str],
    again: Callable[[CheckReport], bool],
) -> Remaining:
    """Find out what earlier reports in ``out`` have already.

    Args:
        rubric: the rubric.
        out: the folder of the reports.
        submitted: what was handed in, with the checks that are wanted and the digest of its files.
        bases: the digests of everything else that grades depend on, by check.
        again: says of a check whether to run it again in any case.
    """
    made = Remaining()
    for one in submitted:
        _plan_one(made, rubric, out / one.identifier, one, bases, again)
    return made


def _plan_one(
    made: Remaining,
    rubric: Rubric,
    folder: Path,
    one: Submitted,
    bases: Mapping[str, str],
    again: Callable[[CheckReport], bool],
) -> None:
    before, marks = _read_with_marks(folder / stored.REPORT)
    kept = _valid(before, one, bases)
    is_whole = True
    for path in sorted(folder.glob(SO_FAR.format("*"))):
        is_whole = False
        so_far = _valid(_read(path), one, bases)
        if so_far is not None:
            kept = so_far if kept is None else joining.joined(rubric, so_far, kept)
    if kept is not None:
        kept = _without(kept, {check.id for check in kept.checks() if again(check)})
    there = kept.by_id() if kept is not None else {}
    if marks is not None and (before is None or not {*marks} <= there.keys()):
        made.marked[one.identifier] = [name for name in marks if name not in there]
    made.broken += sum(check.outcome == "broken" for check in there.values())
    is_whole = is_whole and one.wanted <= there.keys()
    is_whole = is_whole and kept is not None and kept.frame == one.frame
    if kept is not None and is_whole and _is_written(rubric, folder, before, kept):
        made.unchanged.append(kept)
        return
    made.submitted.append(replace(one, wanted=one.wanted - there.keys(), earlier=kept))


def _is_written(rubric: Rubric, folder: Path, before: Report | None, kept: Report) -> bool:
    """Say whether the files of a report are there, and say the same as it would be written now."""
    is_broken = any(check.outcome == "broken" for check in kept.checks())
    return (
        before is not None
        and (before.status == "broken") == is_broken
        and len(before.by_id()) == len(kept.by_id())
        and joining.is_framed(rubric, kept)
        and written.are_whole(folder)
    )


def _read(path: Path) -> Report | None:
    with contextlib.suppress(OSError, ValueError):
        return Report.read(path.read_bytes())
    return None


def _read_with_marks(path: Path) -> tuple[Report | None, list[str] | None]:
    """Return a report and the checks in it that a person has marked; None if there are none.

    One that cannot be read is taken to hold marks if it holds their key; the list is empty.
    """
    try:
        raw = path.read_bytes()
    except OSError:  # there is none, or it cannot be read, let alone replaced
        return None, None
    has_marks = stored.MARKED_KEY in raw
    try:
        made = Report.read(raw)
    except ValueError:
        return None, [] if has_marks else None
    marks = [check.id for check in made.checks() if check.marked is not None]
    return made, marks or None


def _valid(made: Report | None, one: Submitted, bases: Mapping[str, str]) -> Report | None:
    """Return a report with those checks alone that would come out the same again."""
    if made is None or one.basis is None:
        return None
    if made.submission.basis != one.basis.of(made.submission.files):
        return None
    changed = {c.id for c in made.checks() if c.basis is None or c.basis != bases.get(c.id)}
    return _without(made, changed)


def _without(made: Report, checks: set[str]) -> Report | None:
    if not checks:
        return made if made.questions else None
    questions = [
        question.model_copy(update={"checks": kept})
        for question in made.questions
        if (kept := tuple(check for check in question.checks if check.id not in checks))
    ]
    return made.with_questions(questions) if questions else None
