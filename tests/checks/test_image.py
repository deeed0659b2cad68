"""Kind ``image``: points at the thresholds of the loss, and a hair beside them."""

import re

import pytest

from grader.errors import RubricError
from tests.checks.toy import judged, make

NUMPY = "from numpy import array, inf, nan"
CHECK = """
      - id: q1.1
        title: image
        points: 4
        kind: image
        function: train
        driver: toy.train
        dataset: toy
        judge: toy.ratios
        tiers:
          mini: {full_at: 1.5, zero_at: 2.5}
          full: {full_at: 1.0, zero_at: 3.0}
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
    ("ratio", "earned"),
    [(0.2, 1), (1.5, 1), (1.501, 0.999), (2, 0.5), (2.499, 0.001), (2.5, 0), (9, 0),
     ("nan", 0), ("inf", 0)],
)  # fmt: skip
def test_an_image_is_paid_linearly_between_its_thresholds(ratio, earned, graded):
    result = graded(CHECK, ratio, 1.0)
    # Two images share the points; the second one is as good as the reference's.
    assert result.points == pytest.approx(2 + 2 * earned, abs=1e-3)
    if earned < 1:
        assert "first" in result.message
        assert "it looks like noise" in result.message
        assert result.reason == "below_threshold"
    else:
        assert (result.outcome, result.message) == ("passed", "")


@pytest.mark.parametrize(
    ("ratios", "history", "points"),
    [((1, 1), 1, 4), ((1, 1), 0, 3), ((1, 9), 0, 1.5), ((9, 9), 1, 0), ((2, 9), 1, 0.75 + 1)],
)
def test_properties_of_images_that_are_worth_nothing_earn_nothing(ratios, history, points, graded):
    result = graded(f"{CHECK}        properties: {{history: 0.25}}\n", *ratios, history)
    assert result.points == pytest.approx(points)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("zero_at: 2.5", "zero_at: 1.5", "must be above"),
        ("full_at: 1.5", "full_at: 0.9", "full_at"),
        ("toy.ratios", "toy.ratio_s", "'ratio_s'"),
    ],
)
def test_a_check_that_does_not_fit_is_refused(old, new, problem, graded):
    assert old in CHECK
    with pytest.raises(RubricError, match=re.escape(problem)):
        graded(CHECK.replace(old, new))
