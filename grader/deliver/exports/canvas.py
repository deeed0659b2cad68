"""Canvas: the CSV that "Grades > Import" takes.

Source: "How do I import grades in the Gradebook?" of the Canvas instructor guide, and
``gradebook_exporter.rb`` and ``gradebook_importer.rb`` of Canvas itself. The columns are Student,
ID, SIS User ID, SIS Login ID, Section, then assignments as "Title (id)"; the second row holds the
points possible. ``grader/intake/canvas.py`` reads the names of downloaded submissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from grader.deliver.exports.formats import Export, Order, harmless, kept, left_out, lines
from grader.deliver.exports.roster import (
    Numbers,
    Roster,
    RosterRow,
    Students,
    email_name,
    name_forms,
)
from grader.errors import UsageError
from grader.intake import canvas
from grader.readers.tables import Row, Sheet, cell, folded_name, number
from grader.readers.texts import did_you_mean, plain, quoted

IDENTITY = (
    "Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID",
    "Root Account", "Section",
)  # fmt: skip
IDENTIFIERS = ("SIS User ID", "SIS Login ID", "Integration ID")
NAMES = ("Student", "LastName", "FirstName", "Section")  # the others identify: they stay as is
BARE = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_ROW = "    Points Possible"  # with four spaces, as Canvas writes it
CALCULATED = re.compile(
    r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)|^Notes$"
)
OVERRIDE = re.compile(
    r"Override (Score|Grade|Status)\b"
)  # the year in brackets is a grading period then
WITH_ID = re.compile(r"^(?P<title>.*?) \((?P<id>\d+)\)$", re.DOTALL)
NOT_FOR_GRADES = ("EX", "N/A")  # excused; not assigned to this student


class Canvas:
    """The Canvas gradebook."""

    name = "canvas"

    def roster(self, table: Sheet) -> Roster:
        """Return the students of an exported gradebook: all rows but points and posting."""
        name = table.column("Student") or table.column("LastName")
        own = table.column("ID")
        if name is None or own is None or table.column("Section") is None:
            raise UsageError(
                f"{table.name}:1: not a Canvas gradebook: it must have the columns Student, ID and "
                "Section; download it with Grades > Export"
            )
        columns = [table.column(label) for label in IDENTIFIERS]
        first = table.column("FirstName")
        students = {}
        for index, row in enumerate(table.rows):
            full = row.cells[name] if first is None else f"{row.cells[first]} {row.cells[name]}"
            identifiers = [row.cells[column].strip() for column in columns if column]
            if not full.strip() or "Points Possible" in full:
                continue
            platform_id = row.cells[own].strip()
            students[index] = RosterRow(
                row.line, full.strip(), platform_id, platform_id, tuple(identifiers),
                tuple(map(email_name, identifiers)), (full,),
            )  # fmt: skip
        return Roster(table, students, numbers_of(students.values()))

    def export(self, order: Order) -> Export:
        """Return the file: who the students are, and the one column of this assignment."""
        if order.roster is None:
            return _bare(order)
        table = order.roster.table
        made = Export(b"", left_out=left_out(order))
        known = [table.column(name) for name in IDENTITY]
        columns = [column for column in table.columns if column in known]
        target = _column(table, order, made)
        rows = [[*map(harmless, columns), harmless(target)]]
        points = _points_row(table)
        said = points.cells.get(target, "").strip() if points else ""
        most = said or plain(order.max_score)
        rows.append([POINTS_ROW, *[""] * (len(columns) - 1), most])
        if said and number(said) != order.max_score:
            made.notes.append(
                f"Canvas has {said} points possible for {quoted(target)}, the reports "
                f"{plain(order.max_score)}; points are exported unchanged"
            )
        protected = {table.column(name) for name in IDENTITY if name not in NAMES}
        for index in order.roster.students:
            cells = table.rows[index].cells
            who = [cells[c] if c in protected else harmless(cells[c]) for c in columns]
            rows.append([*who, _value(order, index, cells.get(target, "").strip(), made)])
        made.data = lines(rows)
        made.notes.append(
            "the file holds only this assignment's column, so that no other grade can change"
        )
        return made


def numbers_of(students: Iterable[RosterRow]) -> Numbers:
    """Return a reader of the numbers in the names of submissions, for a course's students."""
    people = {
        one.platform_id: [form for name in one.names for form in name_forms(name)]
        for one in students
    }
    return partial(_numbers, people)


def _numbers(people: canvas.People, reported: Students) -> dict[str, tuple[str, ...]]:
    """Return the numbers of students that the names of submissions may hold."""
    names = {name: canvas.readings(name, stem=True) for name in reported}
    known = {name: student.id or "" for name, student in reported.items()}
    left = canvas.settled({name: ways for name, ways in names.items() if ways}, people, known)
    return {name: tuple(dict.fromkeys(w.user for w in ways)) for name, ways in left.items()}


def _value(order: Order, index: int, there: str, made: Export) -> str:
    grade = order.grade_of(index)
    if grade is None or order.roster is None:
        return there
    if grade.score is None:
        note = kept(there, "no new grade; Canvas's", index, order.roster)
        made.notes += [note] if there else []
        return there
    if there.upper() in NOT_FOR_GRADES:
        note = kept(there, "Canvas's", index, order.roster)
        made.left_out.append(f"{grade.submission}: {note}")
        return there
    return grade.text


def _column(table: Sheet, order: Order, made: Export) -> str:
    """Return the assignment's column: "Title (id)" by its title or its id, or a new one.

    Raises:
        UsageError: two columns have that title, or none has and one is close to it.
    """
    wanted = order.assignment or order.title
    there = _assignments(table)
    titles = {column: _title(table.heading(column)) for column in there}
    names = {c: (folded_name(table.heading(c)), folded_name(titles[c])) for c in there}
    found = [column for column in there if folded_name(wanted) in names[column]]
    if not found:
        numbered = {column: WITH_ID.match(table.heading(column)) for column in there}
        found = [column for column, match in numbered.items() if match and match["id"] == wanted]
    if len(found) == 1:
        return table.only(found[0])
    if found:
        named = ", ".join(map(quoted, found))
        raise UsageError(f"{table.name}:1: several assignments have this name: {named}; "
                         "choose one of them with --assignment")  # fmt: skip
    near = did_you_mean(wanted, list(titles.values()))
    if near or (order.assignment is None and there):
        known = ", ".join(map(quoted, titles.values()))
        raise UsageError(f"{table.name}:1: no assignment {quoted(wanted)}{near}; choose one with "
                         f"--assignment (there are: {known})")  # fmt: skip
    made.notes.append(
        f"{table.name} has no assignment {quoted(wanted)}: Canvas will offer to create one"
    )
    return wanted


def _assignments(table: Sheet) -> list[str]:
    """Return the columns that are assignments, and neither the student's nor calculated.

    An assignment may be called like a calculated column, "Final Grade"; it has its id behind it,
    and points possible where calculated columns have "(read only)".
    """
    reserved = {table.column(name) for name in IDENTITY}
    points = _points_row(table)
    found = []
    for column in table.columns:
        heading = table.heading(column)
        said = points.cells.get(column, "").strip() if points else ""
        numbered = WITH_ID.match(heading) and not OVERRIDE.match(heading)
        own = numbered and (not said or number(said) is not None)
        if column and column not in reserved and (own or not CALCULATED.search(heading)):
            found.append(column)
    return found


def _points_row(table: Sheet) -> Row | None:
    name = table.column("Student") or table.column("LastName")
    return next((row for row in table.rows if name and "Points Possible" in row.cells[name]), None)


def _title(heading: str) -> str:
    match = WITH_ID.match(heading)
    return match["title"] if match else heading


def _bare(order: Order) -> Export:
    """Return the file without a roster: the login is the submission's name, or Canvas's own id."""
    made = Export(b"", left_out=left_out(order))
    rows = [[*BARE, harmless(order.assignment or order.title)]]
    rows.append([POINTS_ROW, "", "", "", "", plain(order.max_score)])
    numbers = _numbers({}, {name: grade.student for name, grade in order.grades.items()})
    for name, grade in order.grades.items():
        found = numbers.get(name, ())
        if len(found) > 1:
            several = " or ".join(found)
            made.left_out.append(
                f"{name}: its name can be read as that of student {several}; --roster may tell"
            )
            continue
        own, login = (found[0], "") if found else ("", cell(name))
        rows.append([cell(name), own, "", login, "", grade.text])
    made.data = lines(rows)
    made.notes.append(
        "without --roster, Canvas must find the students by their ID or SIS Login ID; check the "
        "preview that it shows"
    )
    return made
