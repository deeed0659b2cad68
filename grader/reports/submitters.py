"""Who handed a submission in, as its report says: for a platform other than the one it came from.

Gradescope knows the student number (SID) and the address of each member of a group, and Autolab
the address. Canvas and Moodle give a number of their own, which means nothing elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.reports.frame import GroupReport
from grader.reports.report import StudentReport, SubmissionReport

GRADESCOPE = re.compile(r"^(?:assignment_\d+_)?submission_(?P<id>\d+)$")
BETWEEN = ", "  # the members of a group, in each field of a report


@dataclass(frozen=True)
class Submitter:
    """One person: whatever of name, student number and address is known.

    Of the members of a group that an instructor lists, the login and Canvas's own number, too.
    """

    name: str = ""
    sid: str = ""
    email: str = ""
    login: str = ""
    canvas_id: str = ""

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What other platforms may know this person by."""
        return tuple(text for text in (self.sid, self.login, self.email) if text)

    @property
    def shown(self) -> str:
        """How a message names the person."""
        return self.email or self.sid or self.login or self.canvas_id


def people_of(made: SubmissionReport) -> list[Submitter]:
    """Return everybody whose hand-in it is, for a table: one without any identifier, too."""
    found = submitters(made.id, made.student, made.group)
    if len(found) > 1 or made.group is not None:
        return found
    return [Submitter(name=(made.student.name or "") if made.student is not None else "")]


def submitters(
    submission: str, student: StudentReport | None, group: GroupReport | None = None
) -> list[Submitter]:
    """Return who handed in: several for a group, nobody if nothing is known that others know.

    Args:
        submission: its id.
        student: the field ``student`` of its report.
        group: the field ``group`` of its report.
    """
    if group is not None:
        return [
            Submitter(
                *(one.name or "", one.id or "", one.email or ""),
                *(one.login or "", one.canvas_id or ""),
            )
            for one in group.members
        ]
    if student is None:
        return []
    emails = _split(student.email)
    if not emails and not GRADESCOPE.match(submission):
        return []
    sids, names = _split(student.id), _split(student.name)
    if emails and len(sids) != len(emails):
        sids = []  # not everybody has one, and nothing says whose these are
    many = max(len(emails), len(sids))
    padded = [[*texts, *[""] * (many - len(texts))] for texts in (sids, emails)]
    if len(names) != many:  # "Last, First" has a comma, too
        names = [student.name or ""] if many == 1 else [""] * many
    return [Submitter(*each) for each in zip(names, *padded, strict=True)]


def _split(value: str | None) -> list[str]:
    return [text for text in (value or "").split(BETWEEN) if text]
