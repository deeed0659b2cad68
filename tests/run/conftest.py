"""A small assignment with a submission, and pytest run on it."""

import subprocess
import sys

import pytest

from tests.checks.test_driven import VALUES
from tests.checks.test_written import WRITTEN
from tests.checks.toy import make
from tests.conftest import ROOT

# Two checks of values and a text that waits for a person, worth 4 points together.
TOY = "".join((
    VALUES.replace("points: 4", "points: 2"),
    VALUES.replace("points: 4", "points: 1").replace("q1.1", "q1.2"),
    WRITTEN.replace("points: 4", "points: 1").replace("q1.1", "q1.3"),
))  # fmt: skip
RAISES = """
class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        return self.times(x)

    def times(self, x):
        raise ValueError("no luck")
"""
WRONG = """
class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        return self.slope + x
"""


def run_pytest(*arguments, cwd=ROOT, typed=""):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, input=typed
    )


@pytest.fixture
def toy(tmp_path):
    """Write a small assignment with a submission; return the rubric and the submission."""

    def write(module):
        rubric = make(tmp_path / "toy", TOY)
        folder = tmp_path / "alice"
        folder.mkdir()
        (folder / "toy.py").write_text(module)
        (folder / "why.md").write_text("because it overfits")
        return rubric, folder

    return write
