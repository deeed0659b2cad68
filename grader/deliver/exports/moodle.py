"""Moodle: the assignment's offline grading worksheet, or a table for the gradebook's CSV import.

Source: "Offline grading worksheet" in MoodleDocs, and ``importgradeslib.php`` of the plugin
``assignfeedback_offline``, which finds the columns Identifier, Grade and "Last modified (grade)" by
these names, skips empty grades, and silently skips grades above the maximum. Downloaded
submissions are called ``Full name_<participant>_assignsubmission_file``.
"""

from __future__ import annotations

import html
import re

from grader.deliver.exports.formats import (
    Export,
    Grade,
    Order,
    feedback,
    harmless,
    kept,
    left_out,
    lines,
)
from grader.deliver.exports.roster import Roster, RosterRow, by_pattern, email_name
from grader.errors import UsageError
from grader.readers.tables import Sheet, cell, number
from grader.readers.texts import plain
from grader.reports.terminal import clean

PATTERN = re.compile(r"_(?P<id>\d+)_assignsubmission_")
PARTICIPANT = re.compile(r"(?P<id>\d+)\s*$")
NEEDED = ("Identifier", "Grade", "Last modified (grade)")
BARE = ("Identifier", "Full name", "Grade", "Last modified (grade)", "Feedback comments")


class Moodle:
    """Moodle's grading worksheet."""

    name = "moodle"

    def roster(self, table: Sheet) -> Roster:
        """Return the students of a grading worksheet."""
        missing = [name for name in NEEDED if table.column(name) is None]
        if missing:
            raise UsageError(
                f"{table.name}:1: not a Moodle grading worksheet: the column "
                f"{', '.join(missing)} is missing; download it (in English) with Submissions > "
                "Actions > Download grading worksheet"
            )
        columns = {
            name: table.column(name)
            for name in ("Identifier", "Full name", "Email address", "ID number", "Username")
        }
        students = {}
        for index, row in enumerate(table.rows):
            cells = {name: row.cells[c].strip() if c else "" for name, c in columns.items()}
            found = PARTICIPANT.search(cells["Identifier"])
            exact = [cells[name] for name in ("Email address", "ID number", "Username")]
            students[index] = RosterRow(
                row.line,
                cells["Full name"] or cells["Identifier"],
                found["id"] if found else "",
                cells["Identifier"],
                tuple(exact),
                (email_name(cells["Email address"]),),
                (cells["Full name"],),
            )
        return Roster(table, students, by_pattern(PATTERN))

    def export(self, order: Order) -> Export:
        """Return the worksheet with grades and feedback filled in, or a table without roster."""
        if order.roster is None:
            return _bare(order)
        table, made = order.roster.table, Export(b"", left_out=left_out(order))
        columns = [column for column in table.columns if column]
        identifier, points = table.column("Identifier"), table.column("Grade")
        comments = table.column("Feedback comments")
        rows = [[table.heading(column) for column in columns]]
        for index, row in enumerate(table.rows):
            cells = {
                c: text if c == identifier else harmless(text) for c, text in row.cells.items()
            }
            grade = order.grade_of(index)
            if grade is not None and points is not None:
                _fill(order, index, grade, cells, made)
            rows.append([cells[column] for column in columns])
        if comments is None:
            made.notes.append(
                "the worksheet has no column Feedback comments: comments are not exported (turn "
                'on "Feedback comments" in the settings of the assignment)'
            )
        made.data = lines(rows)
        return made


def _fill(order: Order, index: int, grade: Grade, cells: dict[str, str], made: Export) -> None:
    """Put a grade and its feedback into the cells of a row."""
    if order.roster is None:
        return
    table, student = order.roster.table, order.roster.students[index]
    points, comments = table.column("Grade"), table.column("Feedback comments")
    if grade.score is None:
        there = cells[str(points)].strip()
        made.notes += [kept(there, "no new grade; Moodle's", index, order.roster)] if there else []
        return
    most = table.column("Maximum grade")
    limit = number(cells[most]) if most else None
    if limit is not None and grade.score > limit:
        made.notes.append(
            f"{table.name}:{student.line}: {student.shown}: {grade.text} is more than Moodle's "
            f"maximum of {plain(limit)}: Moodle will skip it; raise the maximum before uploading"
        )
    elif limit is not None and limit != grade.max_score:
        note = (
            f"Moodle's maximum is {plain(limit)} points, the reports' {plain(grade.max_score)}; "
            "points are exported unchanged"
        )
        made.notes += [note] if note not in made.notes else []
    cells[str(points)] = grade.text
    if comments is None:
        return
    there = cells[comments].strip()
    if there and not there.startswith(_html(f"{order.title}: ")):
        made.notes.append(kept(there, "the comment", index, order.roster))
        return
    cells[comments] = harmless(_html(feedback(grade, order.title)))


def _html(text: str) -> str:
    """Return text as Moodle takes it: feedback comments are HTML there."""
    return html.escape(clean(text), quote=False).replace("\n", "<br>")


def _bare(order: Order) -> Export:
    """Return a table without a roster.

    If all submissions have Moodle's names, it is a worksheet by participant number; otherwise it is
    for Grades > Import > CSV file, where the instructor assigns each column.
    """
    made = Export(b"", left_out=left_out(order))
    numbers = {name: PATTERN.search(name) for name in order.grades}
    if all(numbers.values()):
        rows = [list(BARE)]
        for name, grade in order.grades.items():
            found = numbers[name]
            participant = f"Participant {found['id']}" if found else ""
            full = name[: found.start()].replace("_", " ") if found else name
            text = harmless(_html(feedback(grade, order.title)))
            rows.append([participant, cell(full), grade.text, "-", text])
        made.notes.append(
            "without --roster, the worksheet has no dates: Moodle changes existing grades only "
            'with "Allow updating records that have been modified more recently"'
        )
    else:
        title = order.assignment or order.title
        rows = [["Username", harmless(title), harmless(f"Feedback: {title}")]]
        for name, grade in order.grades.items():
            text = harmless(_html(feedback(grade, order.title)))
            rows.append([cell(name), grade.text, text])
        made.notes.append(
            "without --roster, this is a table for Grades > Import > CSV file; there, map the "
            "column Username to the field that the names of the submissions come from"
        )
    made.data = lines(rows)
    return made
