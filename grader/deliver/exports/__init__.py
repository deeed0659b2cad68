"""Grades in the formats that learning platforms import; one module per platform.

A new format is one module with a class like those here, one line in ``FORMATS``, and tests.
"""

from __future__ import annotations

from grader.deliver.exports.canvas import Canvas
from grader.deliver.exports.feedback import FeedbackPages
from grader.deliver.exports.formats import Format
from grader.deliver.exports.gradescope import Gradescope
from grader.deliver.exports.moodle import Moodle

FORMATS: dict[str, Format] = {
    each.name: each for each in (Canvas(), Moodle(), Gradescope(), FeedbackPages())
}
