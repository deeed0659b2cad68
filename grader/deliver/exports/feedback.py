"""Pages for students, in one archive under the names by which platforms take files back.

Canvas takes annotated submissions back under the names of the files that it handed out, Moodle
feedback files under ``Full name_<participant>_assignsubmission_file_<file>``. The ids of reports
begin with these names. Source: "Uploading annotated submissions" of the Canvas guides; "Upload
multiple feedback files in a zip" in MoodleDocs and ``importziplib.php`` of its plugin
``assignfeedback_file``.
"""

from __future__ import annotations

import io
import zipfile

from grader.deliver.exports.formats import Export, Order, left_out
from grader.deliver.exports.roster import Roster
from grader.errors import UsageError
from grader.readers.tables import Sheet
from grader.reports import html

OF_MOODLE = "_assignsubmission_file"
MADE = (1980, 1, 1, 0, 0, 0)  # the same grades give the same bytes


class FeedbackPages:
    """One page for each student, with what a student may see of the report."""

    name = "feedback"

    def roster(self, table: Sheet) -> Roster:
        """Refuse a roster: the names of the files say whose they are.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"--roster {table.name}: pages of feedback need no roster; leave it out")

    def export(self, order: Order) -> Export:
        """Return a zip archive of pages."""
        file = io.BytesIO()
        made = Export(b"", left_out=left_out(order))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, grade in sorted(order.grades.items()):
                if grade.score is None:
                    continue
                entry = zipfile.ZipInfo(file_name(name), MADE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, html.feedback(grade.report))
        made.data = file.getvalue()
        return made


def file_name(submission: str) -> str:
    """Return the name of a submission's page."""
    return f"{submission}_feedback.html" if submission.endswith(OF_MOODLE) else f"{submission}.html"
