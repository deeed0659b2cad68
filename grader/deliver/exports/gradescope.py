"""Gradescope: an autograder that returns existing grades, or a table of scores.

Gradescope cannot import scores for programming assignments; it only reads an autograder's
``results.json``. So ``--out FILE.zip`` is an autograder that runs no student code: it looks up the
submission's number in ``submission_metadata.json`` and returns the existing results. With any other
name the file is a table with the columns of Gradescope's own "Download Grades".

Source: the Gradescope autograder documentation ("Autograder Specifications", "Submission
Metadata"). Exported submissions are called ``submission_<number>``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from grader.deliver.exports.formats import Export, Grade, Order, harmless, left_out, lines
from grader.deliver.exports.roster import Roster, RosterRow, by_pattern, email_name
from grader.errors import UsageError
from grader.readers.tables import Sheet, cell
from grader.readers.texts import plain
from grader.reports.results import gradescope
from grader.reports.submitters import GRADESCOPE

KEPT = ("Name", "First Name", "Last Name", "SID", "Email", "Sections", "Submission ID")
IDENTIFIERS = ("SID", "Email", "Submission ID")
ADDED = ("Total Score", "Max Points", "Status")
MAX_TOLD = 8  # grades that are not exported, if none is
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same grades give the same file
SETUP = """\
#!/usr/bin/env bash
# Installs what run_autograder needs, if the image does not have it.
command -v python3 >/dev/null || { apt-get update && apt-get install -y python3; }
"""
RUN = '''\
#!/usr/bin/env python3
"""Returns grades that were made elsewhere. It runs no student code."""

import json
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")


def main():
    grades = json.loads((ROOT / "source" / "grades.json").read_text(encoding="utf-8"))
    this = json.loads((ROOT / "submission_metadata.json").read_text(encoding="utf-8"))
    keys = [str(this.get("id"))] + [str(u.get("email", "")).lower() for u in this.get("users", [])]
    found = [grades[key] for key in keys if key in grades]
    if not found:
        print("There is no grade for this submission; its previous score stays.")
        return 1
    target = ROOT / "results" / "results.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found[0]), encoding="utf-8")
    return 0


sys.exit(main())
'''


class Gradescope:
    """Gradescope's autograder and its table of scores."""

    name = "gradescope"

    def roster(self, table: Sheet) -> Roster:
        """Return the students of a roster or of downloaded grades."""
        columns = {name: table.column(name) for name in KEPT}
        if columns["Email"] is None and columns["SID"] is None:
            raise UsageError(
                f"{table.name}:1: not a Gradescope list: it has no column Email or SID; download "
                "it with Review Grades > Download Grades"
            )
        students = {}
        for index, row in enumerate(table.rows):
            cells = {name: row.cells[c].strip() if c else "" for name, c in columns.items()}
            name = cells["Name"] or f"{cells['First Name']} {cells['Last Name']}".strip()
            students[index] = RosterRow(
                row.line, name or cells["Email"], cells["Submission ID"], cells["Submission ID"],
                (cells["SID"], cells["Email"]), (email_name(cells["Email"]),), (name,),
            )  # fmt: skip
        return Roster(table, students, by_pattern(GRADESCOPE), groups=True)

    def export(self, order: Order) -> Export:
        """Return an autograder for ``.zip``, a table for any other name."""
        if order.out.suffix.lower() == ".zip":
            return _autograder(order)
        made = Export(b"", left_out=left_out(order))
        rows = _table(order) if order.roster is not None else _bare(order)
        made.data = lines(rows)
        made.notes.append(
            "Gradescope cannot import scores for programming assignments: this table is for your "
            "own records; --out FILE.zip makes an autograder that enters the grades there"
        )
        return made


def _cells(grade: Grade | None) -> list[str]:
    if grade is None:
        return ["", "", "Missing"]
    status = "Graded" if grade.score is not None else "Ungraded"
    return [grade.text, plain(grade.max_score), status]


def _table(order: Order) -> list[list[str]]:
    if order.roster is None:
        return []
    table = order.roster.table
    kept = [(name, column) for name in KEPT if (column := table.column(name))]
    rows = [[*(column for _name, column in kept), *ADDED]]
    for index in order.roster.students:
        cells = table.rows[index].cells
        who = [cells[c] if name in IDENTIFIERS else harmless(cells[c]) for name, c in kept]
        rows.append([*who, *_cells(order.grade_of(index))])
    return rows


def _bare(order: Order) -> list[list[str]]:
    rows = [["Submission", *ADDED]]
    return rows + [[cell(name), *_cells(grade)] for name, grade in order.grades.items()]


def _autograder(order: Order) -> Export:
    """Return an autograder that knows the results of these submissions, by number and email."""
    made = Export(b"", left_out=left_out(order))
    results: dict[str, Any] = {}
    rows_of: dict[str, list[int]] = {}
    for row, submission in order.rows.items():
        rows_of.setdefault(submission, []).append(row)
    for name, grade in order.grades.items():
        if grade.score is None or (order.roster is not None and name not in rows_of):
            continue
        keys = _keys(order, name, rows_of.get(name, ()))
        if not keys:
            made.left_out.append(
                f"{name}: has no Gradescope number (submission_123) and no email address; use "
                "--roster with the downloaded grades"
            )
        results |= dict.fromkeys(keys, gradescope(grade.report))
    if not results:
        more = len(made.left_out) - MAX_TOLD
        told = [*made.left_out[:MAX_TOLD], *([f"and {more} more"] if more > 0 else [])]
        told.append("no grade can be exported; nothing was written")
        raise UsageError("\n".join(told))
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("setup.sh", SETUP), ("run_autograder", RUN), ("grades.json", text)):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o644 if name.endswith(".json") else 0o755) << 16
            archive.writestr(info, content)
    made.data = target.getvalue()
    made.notes.append(
        "upload the file under Configure Autograder, then Manage Submissions > Regrade All "
        "Submissions; put your own autograder back if you have one"
    )
    return made


def _keys(order: Order, name: str, rows: Sequence[int]) -> list[str]:
    """Return what the autograder finds a submission by: its number, or who handed it in."""
    match = GRADESCOPE.search(name)
    keys = [match["id"]] if match else []
    if order.roster is not None:
        table = order.roster.table
        number, email = table.column("Submission ID"), table.column("Email")
        keys += [table.rows[row].cells[number].strip() for row in rows] if number else []
        # By email a grade reaches the student's newest submission, whichever was graded.
        if email and not any(keys):
            keys += [table.rows[row].cells[email].strip().lower() for row in rows]
    return list(dict.fromkeys(key for key in keys if key))
