"""All formats, by their names."""

from __future__ import annotations

from grader.deliver.exports.canvas import Canvas
from grader.deliver.exports.feedback import FeedbackPages
from grader.deliver.exports.formats import Format
from grader.deliver.exports.gradescope import Gradescope
from grader.deliver.exports.moodle import Moodle

FORMATS: dict[str, Format] = {
    each.name: each for each in (Canvas(), Moodle(), Gradescope(), FeedbackPages())
}
