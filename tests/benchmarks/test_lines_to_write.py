"""The count of what an author writes finds all of it, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

TOOL = ROOT / "benchmarks" / "lines_to_write.py"
RUBRIC = """\
# A comment.
questions:
  - id: q1
    module: layer.py
    checks:
      - id: q1.1
        points: 1  # counted: there is more than a comment
        kind: forward
        # not counted

        function: layer
        hint: >
          Not counted: it is for students,
          whatever its length.
        shares: {values: 1}
      - {id: q1.2, kind: training, function: train, driver: run.train, judge: look.train}
"""
FILES = {
    "reference/layer.py": '''
        """A docstring."""
        import numpy as np
        import json

        SCALE, OTHER = 2, 3


        def helper(x):
            """A docstring
            of two lines."""
            return np.sum(
                x
            )


        def layer(x):  # with a comment
            # A comment.
            return SCALE * helper(x)

        def unused(x):
            return json.loads(x)

        def train(x):
            return x
        ''',
    "reference/cases/layer.py": "def layer(rng):\n    return {}\n",
    "reference/drivers/run.py": "def train(student, x):\n    return student.train(x)\n",
    "reference/judges/look.py": "LEAST = 3\n\ndef train(r, i, w):\n    return LEAST\n",
    "rubric.yaml": RUBRIC,
}


@pytest.fixture
def counted(tmp_path):
    """Count the lines of checks; return the numbers of each row by the check."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        indented = text.startswith("\n")
        plain = "\n".join(row[8:] for row in text.splitlines()) if indented else text
        (tmp_path / name).write_text(plain)

    def run(*checks):
        ran = subprocess.run(
            [sys.executable, TOOL, tmp_path, *checks], check=False, capture_output=True, text=True
        )
        rows = [row.split() for row in ran.stdout.splitlines()[1:]]
        return ran, {row[0]: [int(number) for number in row[1:]] for row in rows}

    return run


def test_helpers_imports_and_constants_in_use_are_counted_and_nothing_else(counted):
    ran, rows = counted("q1.1")
    assert ran.returncode == 0, ran.stderr
    # import, constants, helper of four lines, layer of two: 8
    assert rows == {"q1.1": [5, 8, 2, 0, 0, 15]}


def test_a_driver_and_a_judge_are_counted(counted):
    _, rows = counted("q1.2")
    assert rows == {"q1.2": [1, 2, 0, 2, 3, 8]}


def test_several_checks_are_rows_of_one_table(counted):
    _, rows = counted("q1.1", "q1.2")
    assert list(rows) == ["q1.1", "q1.2"]


def test_a_check_that_is_not_there_is_named(counted):
    ran, _ = counted("q9")
    assert ran.returncode == 1
    assert ran.stderr == "the rubric has no check 'q9'\n"
