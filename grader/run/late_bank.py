"""The late days that students have used in earlier homeworks of a course, from their reports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.intake.downloads import Student
from grader.intake.names import letters
from grader.readers.texts import quoted
from grader.reports import stored
from grader.reports.frame import MemberReport
from grader.reports.report import Report
from grader.reports.submitters import submitters


@dataclass(frozen=True)
class Person:
    """A student, as far as reports of two homeworks may both know one.

    Platforms number the same student anew in another homework, so names come before numbers.
    """

    submission: str
    name: str = ""
    number: str = ""
    email: str = ""

    @classmethod
    def of_member(cls, member: MemberReport) -> Person:
        """Return a member of a group."""
        number = member.canvas_id or member.id or member.login or ""
        return cls("", _letters(member.name), number, (member.email or "").casefold())

    @classmethod
    def of_student(cls, submission: str, student: Student) -> list[Person]:
        """Return who handed in: the members of a group that the platform names, too."""
        emails, names = student.email.split(", "), student.name.split(", ")
        numbers = student.id.split(", ")
        if len(emails) < 2:  # noqa: PLR2004
            only = cls(submission, _letters(student.name), student.id, student.email.casefold())
            return [only]
        fit = len(names) == len(emails), len(numbers) == len(emails)
        return [
            cls("", _letters(names[n]) if fit[0] else "", numbers[n] if fit[1] else "",
                email.casefold())
            for n, email in enumerate(emails)
        ]  # fmt: skip

    def among(self, others: Sequence[Person]) -> list[int]:
        """Return the places of those among ``others`` who are this person: one, if it is clear."""
        if self.email and (found := _where(o.email == self.email for o in others)):
            return found
        if self.name:
            # With addresses on both sides these would have been equal.
            found = _where(o.name == self.name and not (self.email and o.email) for o in others)
            same = [n for n in found if self.number and others[n].number == self.number]
            return same or found
        if self.number:
            return _where(o.number == self.number and not o.name for o in others)
        return _where(bool(o.submission) and o.submission == self.submission for o in others)


def _where(fits: Iterable[bool]) -> list[int]:
    return [place for place, fit in enumerate(fits) if fit]


def _letters(text: str | None) -> str:
    return letters(text or "")


class LateBank:
    """Late days that were used in earlier homeworks.

    Args:
        assignment: the one that is graded now.
        folders: the reports of the earlier ones.

    Attributes:
        notes: who could not be told apart.
        digest: tells apart what was used.

    Raises:
        UsageError: a folder holds no reports, or reports of this assignment.
    """

    def __init__(self, assignment: str, folders: Sequence[Path]) -> None:
        self.notes: list[str] = []
        self._homeworks: list[list[tuple[Person, int]]] = []
        titles: dict[str, Path] = {}
        for folder in folders:
            reports = [one.report for one in stored.load(folder).values()]
            for name in {made.assignment for made in reports}:
                if name == assignment or name in titles:
                    what = "of the homework that is graded" if name == assignment else "again"
                    raise UsageError(f"--bank {folder}: holds reports {what}: {quoted(name)}")
                titles[name] = folder
            self._homeworks.append([one for made in reports for one in _used(made)])

    @property
    def digest(self) -> str:
        """What tells apart the days that were used."""
        return hashlib.sha256(repr(self._homeworks).encode()).hexdigest()

    def used(self, person: Person) -> int:
        """Return how many late days a person has used; none where it is not clear who it was."""
        total = 0
        for homework in self._homeworks:
            places = person.among([one for one, _days in homework])
            if len(places) == 1:
                total += homework[places[0]][1]
            elif places and any(homework[place][1] for place in places):
                who = person.email or person.submission or person.number
                self.notes.append(
                    f"several students of an earlier homework may be {who}: their late days there "
                    "are not counted"
                )
        return total


def _used(made: Report) -> list[tuple[Person, int]]:
    days = made.late.bank_days if made.late is not None else 0
    about = made.submission
    if about.group is not None:
        return [(Person.of_member(member), days) for member in about.group.members]
    student = about.student
    people = submitters(made.id, student)
    if student is None or len(people) < 2:  # noqa: PLR2004
        told = Student() if student is None else Student(
            student.name or "", student.id or "", student.email or ""
        )  # fmt: skip
        return [(one, days) for one in Person.of_student(made.id, told)]
    return [(Person("", _letters(one.name), one.sid, one.email.casefold()), days) for one in people]
