"""What a push would change on a platform: found first, shown, and only then sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.deliver.exports.formats import Grade, feedback
from grader.errors import GraderError
from grader.reports import html

SAME_POINTS = 0.005  # Canvas keeps more digits than people see
DIGITS = 10  # of the digest in the name of a page: the same page is not sent twice


class PushError(GraderError):
    """The platform did not take something; the text says what it answered."""


class StoppedError(PushError):
    """The platform takes nothing any more, such as without a valid token."""


@dataclass(frozen=True)
class Standing:
    """What the platform has for a student.

    Attributes:
        score: the points as they were entered; None if there are none.
        excused: whether the student need not hand in.
        comments: the texts of all comments.
        files: the names of the files at these comments.
    """

    score: float | None = None
    excused: bool = False
    comments: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """A page for a student, by the name that the platform shows."""

    name: str
    data: bytes


@dataclass(frozen=True)
class GradeChange:
    """What is to be changed for one student.

    Attributes:
        user: the platform's number of the student.
        student: how people name the student.
        submission: the id of the report.
        old: the points on the platform; None if there are none.
        new: the points of the report.
        comment: the text to add; empty for none, or if it is there already.
        page: the file to add; None for none, or if it is there already.
    """

    user: str
    student: str
    submission: str
    old: float | None
    new: float
    comment: str = ""
    page: Page | None = None

    @property
    def is_of_points(self) -> bool:
        """Whether the points change."""
        return self.old is None or abs(self.old - self.new) > SAME_POINTS

    @property
    def is_none(self) -> bool:
        """Whether the platform has all of it already."""
        return not (self.is_of_points or self.comment or self.page)


@dataclass
class PushPlan:
    """What a push does.

    Attributes:
        changes: what is to be sent.
        same: how many students have everything already.
        left_out: whose grade cannot be sent, a line each.
    """

    changes: list[GradeChange] = field(default_factory=list)
    same: int = 0
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sent:
    """What became of a change: ``error`` is empty if the platform took it."""

    change: GradeChange
    error: str = ""
    note: str = ""


@dataclass(frozen=True)
class SentBeside:
    """What is sent beside points: the reasons as a comment, and the page as a file."""

    comments: bool = False
    pages: bool = False


def plan(
    owners: Mapping[str, tuple[str, Grade]],
    standings: Mapping[str, Standing],
    title: str,
    extras: SentBeside,
) -> PushPlan:
    """Return what must be sent so that the platform has these grades.

    Args:
        owners: how people name each student, and the grade, by the platform's number.
        standings: what the platform has, by the platform's number.
        title: of the assignment.
        extras: what is sent beside points.
    """
    made = PushPlan()
    for user, (student, grade) in owners.items():
        there = standings.get(user)
        if grade.score is None:
            continue
        if there is None:
            made.left_out.append(f"{grade.submission}: the assignment is not for {student}")
            continue
        if there.excused:
            made.left_out.append(f"{grade.submission}: {student} is excused; that is kept")
            continue
        change = _change(user, student, grade, there, title, extras)
        if change.is_none:
            made.same += 1
        else:
            made.changes.append(change)
    return made


def _change(
    user: str, student: str, grade: Grade, there: Standing, title: str, extras: SentBeside
) -> GradeChange:
    text = feedback(grade, title) if extras.comments else ""
    page = page_of(grade) if extras.pages else None
    return GradeChange(
        user,
        student,
        grade.submission,
        there.score,
        float(grade.text),
        "" if _folded(text) in map(_folded, there.comments) else text,
        None if page is not None and page.name in there.files else page,
    )


def page_of(grade: Grade) -> Page:
    """Return the page for a student; its name changes with what it says."""
    data = html.feedback(grade.report).encode()
    return Page(f"feedback-{hashlib.sha256(data).hexdigest()[:DIGITS]}.html", data)


def _folded(text: str) -> str:
    return " ".join(text.split())  # platforms change line breaks


def send(changes: Sequence[GradeChange], one: Callable[[GradeChange], str]) -> Iterator[Sent]:
    """Send changes one by one and yield what became of each; an error ends only its own change.

    Args:
        changes: what to send.
        one: sends a change and returns a note; raises ``PushError``, or ``StoppedError`` if the
            others need not be tried.
    """
    stopped = ""
    for change in changes:
        if stopped:
            yield Sent(change, stopped)
            continue
        try:
            note = one(change)
        except StoppedError as error:
            stopped = f"not tried: {error}"
            yield Sent(change, str(error))
        except PushError as error:
            yield Sent(change, str(error))
        else:
            yield Sent(change, note=note)
