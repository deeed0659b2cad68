"""Grades in the formats that learning platforms import; one module per platform.

A new format is one module with a class like those here, one line in ``FORMATS``, and tests.
"""

from __future__ import annotations

from grader.exports.base import Format
from grader.exports.canvas import Canvas
from grader.exports.gradescope import Gradescope
from grader.exports.moodle import Moodle

FORMATS: dict[str, Format] = {each.name: each for each in (Canvas(), Moodle(), Gradescope())}
