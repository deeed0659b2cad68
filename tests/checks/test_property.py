"""Kind ``property``: each property earns its share by what the judge found."""

import re

import pytest

from grader.errors import RubricError
from tests.checks.toy import judged, make

NUMPY = "from numpy import array, inf, nan"
CHECK = """
      - id: q1.1
        title: property
        points: 4
        kind: property
        function: train
        driver: toy.train
        dataset: toy
        judge: toy.found
        properties: {half: 0.75, device: 0.25}
"""


@pytest.fixture
def graded(tmp_path, fork_servers):
    """Judge a student who returns these numbers, padded with zeros to four."""

    def run(check, *numbers):
        values = ", ".join(str(number) for number in [*numbers, 0, 0, 0, 0][:4])
        body = f"def train(x):\n    return array([{values}])\n"
        files = {"toy.py": f"{NUMPY}\n\n{body}"}
        (result,) = judged(make(tmp_path, check), files, fork_servers).values()
        return result

    return run


@pytest.mark.parametrize(
    ("half", "device", "points"),
    [
        (1, 1, 4),
        (0, 1, 1),
        (1, 0, 3),
        (0, 0, 0),
        (0.999, 1, 4 - 3 * 0.001),
        (0.5, 0.5, 2),
        (7, 1, 4),
        (-7, 1, 1),
    ],
)
def test_each_property_earns_what_was_found(half, device, points, graded):
    result = graded(CHECK, half, device)
    assert result.points == pytest.approx(points, abs=1e-3)
    assert ("half is not whole" in result.message) == (half < 1)
    assert result.reason == ("mismatch" if half < 1 else "below_threshold" if device < 1 else None)


def test_a_finding_that_is_not_a_number_earns_nothing(graded):
    result = graded(CHECK, "nan", 1)
    assert result.points <= 1


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("device: 0.25", "device: 0.249", "0.999"),
        ("device: 0.25", "device: 0.251", "1.001"),
        ("toy.found", "toy.lost", "'lost'"),
        ("dataset: toy", "dataset: tool", "datasets/tool.py"),
    ],
)
def test_a_check_that_does_not_fit_is_refused(old, new, problem, graded):
    assert old in CHECK
    with pytest.raises(RubricError, match=re.escape(problem)):
        graded(CHECK.replace(old, new))
