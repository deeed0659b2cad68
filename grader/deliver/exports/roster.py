"""The platform's own list of students, and which submission belongs to whom.

Each platform names downloaded submissions differently; each format has a pattern for these names
and says which columns identify a student. If a submission matches two students, nobody guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from grader.intake.submission import safe_id
from grader.readers.tables import Sheet
from grader.readers.texts import did_you_mean, quoted

MAX_SUGGESTED = 20  # unmatched submissions for which a similar name is suggested
MAX_NAME_WORDS = 4  # of a full name: their orders are tried


@dataclass(frozen=True)
class RosterRow:
    """A row of the roster.

    Attributes:
        line: where it is in the file.
        shown: how a message names the student.
        platform_id: what the platform puts into the names of downloaded submissions.
        exact: identifiers, such as a login or an email address.
        local: the parts of email addresses before the @.
        names: the full name, as "First Last" or "Last, First".
    """

    line: int
    shown: str
    platform_id: str = ""
    exact: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """A platform's table and its students, one per row that stands for a student.

    ``rows`` are the indices of these rows in the table; ``pattern`` finds the platform's id (group
    ``id``) in the name of a submission that was downloaded from there.
    """

    table: Sheet
    students: Mapping[int, RosterRow]
    pattern: re.Pattern[str]


@dataclass
class Matching:
    """Which submission belongs to each row, and what could not be matched, a line each."""

    rows: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def match(roster: Roster, submissions: Iterable[str]) -> Matching:
    """Match submissions to students: by identifier, the platform's id, email name, full name.

    The first of these that fits any student decides.
    """
    made = Matching()
    levels = _levels(roster)
    in_doubt: set[int] = set()
    known = [t for s in roster.students.values() for t in (s.shown, *s.exact) if t]
    taken: dict[int, list[str]] = {}
    for submission in submissions:
        found = _candidates(submission, roster, levels)
        in_doubt.update(found)
        if len(found) == 1:
            taken.setdefault(found[0], []).append(submission)
        elif found:
            who = " and ".join(_place(roster, row) for row in found)
            made.problems.append(f"{submission}: matches more than one student: {who}")
        else:
            near = did_you_mean(submission, known) if len(made.problems) < MAX_SUGGESTED else ""
            made.problems.append(f"{submission}: matches no student in {roster.table.name}{near}")
    for row, names in sorted(taken.items()):
        if len(names) == 1:
            made.rows[row] = names[0]
        else:
            several = ", ".join(names)
            made.problems.append(
                f"{several}: all match {_place(roster, row)}; none is exported: keep one report"
            )
    made.without = [_place(roster, row) for row in roster.students if row not in in_doubt]
    return made


def _place(roster: Roster, row: int) -> str:
    student = roster.students[row]
    return f"{quoted(student.shown)} (line {student.line})"


def _levels(roster: Roster) -> list[dict[str, list[int]]]:
    """Return what identifies a student, strongest first: identifiers, email names, names."""
    exact: dict[str, list[int]] = {}
    local: dict[str, list[int]] = {}
    names: dict[str, list[int]] = {}
    for row, student in roster.students.items():
        for text in dict.fromkeys(map(folded, filter(None, student.exact))):
            exact.setdefault(text, []).append(row)
        for text in dict.fromkeys(map(folded, filter(None, student.local))):
            local.setdefault(text, []).append(row)
        for text in dict.fromkeys(form for name in student.names for form in name_forms(name)):
            names.setdefault(text, []).append(row)
    return [exact, local, names]


def _candidates(
    submission: str, roster: Roster, levels: Sequence[Mapping[str, list[int]]]
) -> list[int]:
    exact, local, names = levels
    if found := exact.get(folded(submission)):
        return found
    if named := roster.pattern.search(submission):
        # The platform's own id alone decides: a name may also belong to somebody else.
        wanted = named["id"]
        return [row for row, one in roster.students.items() if one.platform_id == wanted]
    return local.get(folded(submission)) or names.get(letters(submission)) or []


def folded(text: str) -> str:
    """Return an identifier as intake writes it into a folder's name, whatever its case."""
    return safe_id(unicodedata.normalize("NFKC", text)).casefold()


def letters(text: str) -> str:
    """Return the letters and digits of a name, without accents and case."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in plain if char.isalnum())


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
