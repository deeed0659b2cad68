"""The platform's own list of students, and which submission belongs to whom.

Each platform names downloaded submissions differently; each format says how to read these names and
which columns identify a student. If a submission matches two students, nobody guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from grader.intake.names import letters
from grader.intake.submission import safe_id
from grader.readers.tables import Sheet
from grader.readers.texts import did_you_mean, quoted
from grader.reports.frame import GroupReport
from grader.reports.report import StudentReport
from grader.reports.submitters import Submitter, submitters

MAX_SUGGESTED = 20  # unmatched submissions for which a similar name is suggested
MAX_NAME_WORDS = 4  # of a full name: their orders are tried
MAX_READINGS = 4  # of one name that a message lists
Students = Mapping[str, StudentReport]  # what reports say about who handed in, by submission
Numbers = Callable[[Students], Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class RosterRow:
    """A row of the roster.

    Attributes:
        line: where it is in the file; 0 if it comes from no file.
        shown: how a message names the student.
        platform_id: what the platform puts into the names of downloaded submissions.
        own: what only the platform calls the student, such as its own number.
        exact: identifiers from elsewhere, such as a login, a student number or an email address.
        local: the parts of email addresses before the @.
        names: the full name, as "First Last" or "Last, First".
    """

    line: int
    shown: str
    platform_id: str = ""
    own: str = ""
    exact: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """A platform's table and its students, one per row that stands for a student.

    Attributes:
        table: the file.
        students: by the indices of their rows in the table.
        numbers: returns the platform's ids that the names of submissions, with what their reports
            say about the students, may hold: none, one, or several if a name is in doubt.
        groups: whether rows with the same platform's id are the members of a group.
    """

    table: Sheet
    students: Mapping[int, RosterRow]
    numbers: Numbers
    groups: bool = False


@dataclass
class Matching:
    """Which submission belongs to each row, and what could not be matched, a line each."""

    rows: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """The rows that a submission fits; ``together`` if it is that of all of them, as a group.

    ``problem`` says what is in doubt, or which member of the group is not on the list.
    """

    rows: Sequence[int] = ()
    together: bool = False
    problem: str = ""


def match(
    roster: Roster,
    submissions: Iterable[str],
    students: Students | None = None,
    contested: Collection[str] = (),
    groups: Mapping[str, GroupReport] | None = None,
) -> Matching:
    """Match submissions to students.

    By the first of these that fits any student: identifier, the platform's id, the identifiers of
    those who handed in, email name, full name.

    Args:
        roster: the students.
        submissions: the ids of all submissions.
        students: who handed them in, as far as their reports say.
        contested: those that belong to nobody until a person decides. They get no row, and no
            other submission gets a row that one of them fits.
        groups: whose hand-in it is, for those of groups that an instructor has listed: the grade is
            that of all members.
    """
    reported = {name: (students or {}).get(name, StudentReport()) for name in submissions}
    finder = _Finder(roster, reported, groups or {})
    made = Matching()
    in_doubt: set[int] = set()
    known = [t for s in roster.students.values() for t in (s.shown, s.own, *s.exact) if t]
    taken: dict[int, list[str]] = {}
    for submission in reported:
        found = finder.find(submission)
        in_doubt.update(found.rows)
        is_owner = found.together or (len(found.rows) == 1 and not found.problem)
        if submission in contested and not is_owner:
            continue  # that it is contested is all that a person must know
        if found.problem:
            made.problems.append(f"{submission}: {found.problem}")
        if is_owner:
            for row in found.rows:
                taken.setdefault(row, []).append(submission)
        elif found.rows and not found.problem:
            who = " and ".join(finder.place(row) for row in found.rows)
            made.problems.append(f"{submission}: matches more than one student: {who}")
        elif not found.problem:
            near = did_you_mean(submission, known) if len(made.problems) < MAX_SUGGESTED else ""
            made.problems.append(f"{submission}: matches no student in {roster.table.name}{near}")
    _assign(taken, contested, finder, made)
    made.without = [finder.place(row) for row in roster.students if row not in in_doubt]
    return made


def _assign(
    taken: Mapping[int, Sequence[str]], contested: Collection[str], finder: _Finder, made: Matching
) -> None:
    """Give each row its submission, unless several fit it or one is contested."""
    for row, names in sorted(taken.items()):
        several = ", ".join(name for name in names if name not in contested)
        claimed = [name for name in names if name in contested]
        if len(names) == 1 and not claimed:
            made.rows[row] = names[0]
        elif claimed and several:
            made.problems.append(
                f"{several}: matches {finder.place(row)}, as does {', '.join(claimed)}, which is "
                "contested; none is exported: find out whose they are"
            )
        elif not claimed:
            made.problems.append(
                f"{several}: all match {finder.place(row)}; none is exported: keep one report"
            )


class _Finder:
    """Finds the students of submissions."""

    def __init__(
        self, roster: Roster, reported: Students, groups: Mapping[str, GroupReport]
    ) -> None:
        self._roster = roster
        self._groups = groups
        self._reported = reported
        self._numbers = roster.numbers(reported)
        rows = roster.students.items()
        self._exact = _index((r, map(folded, filter(None, s.exact))) for r, s in rows)
        self._own = _index((r, map(folded, filter(None, [s.own]))) for r, s in rows)
        self._local = _index((r, map(folded, filter(None, s.local))) for r, s in rows)
        self._names = _index((r, (f for n in s.names for f in name_forms(n))) for r, s in rows)

    def place(self, row: int) -> str:
        """Return how a message names the student of a row."""
        student = self._roster.students[row]
        place = f"line {student.line}" if student.line else f"number {student.own}"
        return f"{quoted(student.shown)} ({place})"

    def find(self, submission: str) -> _Found:
        """Return the rows that a submission fits."""
        if (group := self._groups.get(submission)) is None:
            return self._find_alone(submission)
        people = submitters(submission, self._reported[submission], group)
        return self._of_members(people, ())

    def _find_alone(self, submission: str) -> _Found:
        name = folded(submission)
        if rows := [*self._exact.get(name, ()), *self._own.get(name, ())]:
            return self._unless_group(list(dict.fromkeys(rows)))
        numbers = self._numbers.get(submission, ())
        if len(numbers) > 1:
            return self._in_doubt(numbers)
        rows = self._numbered(numbers[0]) if numbers else []
        if rows:
            return self._unless_group(rows)
        if people := submitters(submission, self._reported[submission]):
            return self._of_members(people, numbers)
        if numbers:
            # The platform's own id decides alone: a name may belong to somebody else as well.
            return _Found()
        return _Found(self._local.get(name) or self._names.get(letters(submission)) or [])

    def _numbered(self, number: str) -> list[int]:
        return [r for r, one in self._roster.students.items() if one.platform_id == number]

    def _unless_group(self, rows: Sequence[int]) -> _Found:
        numbers = {self._roster.students[row].platform_id for row in rows}
        return _Found(
            rows, together=self._roster.groups and len(numbers) == 1 and "" not in numbers
        )

    def _in_doubt(self, numbers: Sequence[str]) -> _Found:
        rows = [row for number in numbers for row in self._numbered(number)]
        told = []
        for number in numbers[:MAX_READINGS]:
            on_list = " and ".join(map(self.place, self._numbered(number)))
            told.append(
                f"student {number}, {on_list or f'who is not in {self._roster.table.name}'}"
            )
        problem = (
            f"its name can be read as that of {', or of '.join(told)}; enter this grade by hand, "
            "or rename the file to the student's login and grade it again"
        )
        return _Found(rows, problem=problem)

    def _of_members(self, people: Sequence[Submitter], numbers: Sequence[str]) -> _Found:
        """Return the rows of all who handed in, by what their identifiers are elsewhere."""
        rows: list[int] = []
        missing: list[str] = []
        for person in people:
            fitting = self._of_member(person)
            if len(fitting) > 1:
                who = " and ".join(map(self.place, fitting))
                named = quoted(person.shown)
                told = f"{named}, who handed it in, matches more than one student: {who}"
                return _Found([*rows, *fitting], problem=told)
            rows += fitting
            missing += [] if fitting else [quoted(person.shown)]
        rows = list(dict.fromkeys(rows))
        if numbers and (newer := self._with_number(rows)):
            return _Found(rows, problem=f"{newer}: download and grade what is there now")
        if not missing or not rows:
            return _Found(rows, together=len(rows) > 1)
        told = f"no student of {self._roster.table.name} is {', '.join(missing)}, who handed it in"
        others = f"{told} with others; these get the grade"
        return _Found(rows, together=True, problem=others)

    def _with_number(self, rows: Sequence[int]) -> str:
        """Say which of the rows have a number of the platform's, which is another one then."""
        told = [
            f"{self.place(row)} has the submission {number} there"
            for row in rows
            if (number := self._roster.students[row].platform_id)
        ]
        return " and ".join(told)

    def _of_member(self, person: Submitter) -> list[int]:
        if person.canvas_id and (rows := self._numbered(person.canvas_id)):
            return rows
        found = [r for text in person.identifiers for r in self._exact.get(folded(text), ())]
        if not found and person.email:
            # A login may be the first part of the address; then the name must be the same, too.
            local = folded(email_name(person.email))
            named = self._names.get(letters(person.name), ())
            alike = (*self._exact.get(local, ()), *self._local.get(local, ()))
            found = [row for row in alike if row in named]
        if not found and not person.identifiers:
            found = self._names.get(letters(person.name), [])
        return list(dict.fromkeys(found))


def _index(rows: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """Return the rows by each of the texts that stand for them."""
    made: dict[str, list[int]] = {}
    for row, texts in rows:
        for text in dict.fromkeys(texts):
            made.setdefault(text, []).append(row)
    return made


def by_pattern(pattern: re.Pattern[str]) -> Numbers:
    """Return a reader of names in which a pattern finds the platform's id, as its group ``id``."""

    def numbers(reported: Students) -> dict[str, Sequence[str]]:
        found = {name: pattern.search(name) for name in reported}
        return {name: (match["id"],) for name, match in found.items() if match}

    return numbers


def folded(text: str) -> str:
    """Return an identifier as intake writes it into a folder's name, whatever its case."""
    return safe_id(unicodedata.normalize("NFKC", text)).casefold()


def name_forms(name: str) -> list[str]:
    """Return a full name in every order of its words, as ``letters`` writes it."""
    words = [word for word in re.split(r"[\s,]+", name) if letters(word)]
    if not words:
        return []
    if len(words) > MAX_NAME_WORDS:
        before, comma, after = name.partition(",")
        return [letters(name), *([letters(after + before)] if comma else [])]
    return list(dict.fromkeys(letters("".join(order)) for order in permutations(words)))


def email_name(address: str) -> str:
    """Return the part of an email address before the @; nothing if it is not an address."""
    name, at, _host = address.strip().partition("@")
    return name if at else ""
