"""The kinds that run a driver: values, property, image, and training with a judge."""

import re
import shutil

import pytest

from grader.errors import RubricError
from grader.job import Settings
from grader.model import Tier
from tests.checks.toy import judged, make
from tests.conftest import SUBMISSIONS, handed_in

VALUES = """
      - id: q1.1
        title: line
        points: 4
        kind: values
        function: Line
        driver: toy.line
        cases: line
        shares: {values: 0.75, edge_cases: 0.25}
        outputs: {value: 0.5, slope: 0.5}
"""
DRIVEN = """
      - id: q1.1
        title: driven
        points: 4
        kind: KIND
        function: train
        driver: toy.train
        dataset: toy
"""
PROPERTY = (
    DRIVEN.replace("KIND", "property")
    + "        judge: toy.look\n        properties: {half: 0.75, device: 0.25}\n"
)
TRAINING = (
    DRIVEN.replace("KIND", "training")
    + """        judge: toy.look
        properties: {half: 0.25}
        tiers:
          mini: {zero_at: 0.25, full_at: 0.75}
          full: {zero_at: 0.25, full_at: 1.0}
"""
)
IMAGE = (
    DRIVEN.replace("KIND", "image")
    + """        judge: toy.ratio
        properties: {history: 0.2}
        tiers:
          mini: {full_at: 1.0, zero_at: 2.0}
          full: {full_at: 1.0, zero_at: 3.0}
"""
)
RIGHT = """
class Line:
    def __init__(self, slope):
        self.slope = slope

    def value(self, x):
        return self.slope * x
"""


def only(results):
    (result,) = results.values()
    return result


def values(text, tmp_path, fork_servers, checks=VALUES):
    return only(judged(make(tmp_path, checks), {"toy.py": text}, fork_servers))


def test_values_of_a_right_class_earn_everything(tmp_path, fork_servers):
    result = values(RIGHT, tmp_path, fork_servers)
    assert (result.outcome, result.points) == ("passed", 4)


def test_each_output_has_its_share_and_a_known_mistake_is_named(tmp_path, fork_servers):
    result = values(RIGHT.replace("self.slope * x", "self.slope**2 * x"), tmp_path, fork_servers)
    # Zero times a wrong slope is still right, but counts only with the common cases.
    assert (result.outcome, result.points, result.reason) == ("partial", 2, "mismatch")
    assert "these are exactly the values you get when the slope is squared" in result.message
    assert [part.earned for part in result.parts] == [0, 1]


def test_an_edge_case_costs_its_group(tmp_path, fork_servers):
    text = RIGHT.replace("return self.slope * x", "return self.slope * x + (len(x) == 1)")
    result = values(text, tmp_path, fork_servers)
    assert result.points == pytest.approx(4 * (1 - 0.5 * 0.25))
    assert result.message.startswith("edge_cases: case edge_cases: value")


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("class Line: pass", "exception", "Line raised TypeError"),
        ("x = 1", "missing", "has no function Line"),
        (RIGHT.replace("self.slope = slope", "raise NotImplementedError"), "not_implemented", ""),
    ],
)
def test_values_that_cannot_be_had_say_why(text, reason, words, tmp_path, fork_servers):
    result = values(text, tmp_path, fork_servers)
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)
    assert words in result.message
    assert result.message.count(words) == 1 or not words


def test_an_assignment_may_compare_in_its_own_way(tmp_path, fork_servers):
    checks = VALUES.replace("cases: line", "cases: words").replace(
        "shares: {values: 0.75, edge_cases: 0.25}", "shares: {values: 1.0}"
    )
    turned = RIGHT.replace("self.slope * x", "(self.slope * x)[::-1]")
    assert values(turned, tmp_path, fork_servers, checks).points == 4
    wrong = values(RIGHT.replace("* x", "+ x"), tmp_path, fork_servers, checks)
    assert (wrong.points, wrong.message) == (0, "case three: not the same numbers")


def driven(checks, body, tmp_path, fork_servers, tier: Tier = "mini"):
    text = f"import numpy as np\n\ndef train(x):\n    return {body}\n"
    return only(judged(make(tmp_path, checks), {"toy.py": text}, fork_servers, Settings(tier)))


@pytest.mark.parametrize(
    ("body", "points"), [("2 * x", 4), ("2 * x * (x < 1)", 2.5), ("2 * x + 1", 1)]
)
def test_properties_earn_their_shares(body, points, tmp_path, fork_servers):
    result = driven(PROPERTY, body, tmp_path, fork_servers)
    assert result.points == pytest.approx(points)
    assert result.measurements == {"accuracy": pytest.approx(result.parts[0].earned / 2, abs=0.5),
                                   "seen": 4}  # fmt: skip
    assert len(result.figures) == 3
    assert result.notes == ("looked at",)
    assert ("less than half" in result.message) == (points < 4)


@pytest.mark.parametrize(
    ("body", "mini", "full"),
    [("2 * x", 4, 4), ("2 * x * (x < 2)", 3 * 0.5 + 1, 3 / 3 + 1), ("2 * x + 1", 0, 0)],
)
def test_training_with_a_judge_turns_its_value_into_points(
    body, mini, full, tmp_path, fork_servers
):
    for tier, points in (("mini", mini), ("full", full)):
        result = driven(TRAINING, body, tmp_path, fork_servers, tier)
        assert result.points == pytest.approx(points, abs=1e-3), tier


@pytest.mark.parametrize(
    ("ratio", "mini", "full"),
    [("0.9", 4, 4), ("1.5", 3.2 * 0.5 + 0.8, 3.2 * 0.75 + 0.8), ("5", 0, 0), ("np.nan", 0, 0)],
)
def test_an_image_is_worth_what_its_loss_is(ratio, mini, full, tmp_path, fork_servers):
    for tier, points in (("mini", mini), ("full", full)):
        result = driven(IMAGE, f"np.full(4, {ratio})", tmp_path, fork_servers, tier)
        assert result.points == pytest.approx(points), tier
        assert ("times the reference's" in result.message) == (points < 4)


@pytest.mark.parametrize("body", ["None", "'text'", "[1, 2]", "{1: 2}", "x[:2]", "10 ** 400"])
@pytest.mark.parametrize("checks", [PROPERTY, TRAINING, IMAGE])
def test_results_that_are_made_up_are_the_students_failure(checks, body, tmp_path, fork_servers):
    result = driven(checks, body, tmp_path, fork_servers)
    assert result.outcome in ("failed", "partial")
    assert result.points <= 1


def test_a_judge_that_says_nothing_is_our_fault(tmp_path, fork_servers):
    for checks in (PROPERTY, TRAINING, IMAGE):
        silent = re.sub(r"judge: toy\.\w+", "judge: toy.silent", checks)
        result = driven(silent, "2 * x", tmp_path, fork_servers)
        assert result.outcome == "broken", checks
        assert "the judge toy.silent" in result.message


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("toy.line", "toy.lines", "toy.py has no function 'lines' (did you mean 'line'?)"),
        ("toy.line", "tool.line", "no file drivers/tool.py (did you mean 'toy.py'?)"),
        ("cases: line", "cases: lines", "no case generator 'lines' (did you mean 'line'?)"),
        ("slope: 0.5", "slope: 0.4", "outputs add up to 0.9, not 1"),
        ("edge_cases: 0.25", "rare: 0.25", "no case belongs to the group 'rare'"),
    ],
)
def test_values_that_do_not_fit_are_refused(old, new, problem, tmp_path, fork_servers):
    with pytest.raises(RubricError, match=re.escape(problem)):
        values(RIGHT, tmp_path, fork_servers, VALUES.replace(old, new))


@pytest.mark.parametrize(
    ("checks", "old", "new", "problem"),
    [
        (PROPERTY, "device: 0.25", "device: 0.2", "properties add up to 0.95, not 1"),
        (PROPERTY, "toy.look", "toy.hear", "judges/toy.py has no function 'hear'"),
        (PROPERTY, "dataset: toy", "dataset: tool", "datasets/tool.py (did you mean 'toy.py'?)"),
        (TRAINING, "half: 0.25", "half: 1.25", "properties add up to 1.25, more than 1"),
        (TRAINING, "half: 0.25", "half: 1.0", "leave nothing for the metric"),
        (TRAINING, "        judge: toy.look\n", "", "properties need a judge"),
        (IMAGE, "zero_at: 2.0", "zero_at: 1.0", "should be greater than 1"),
        (IMAGE, "full_at: 1.0, zero_at: 3.0", "full_at: 1.5, zero_at: 1.2", "must be above"),
    ],
)
def test_driven_checks_that_do_not_fit_are_refused(
    checks, old, new, problem, tmp_path, fork_servers
):
    with pytest.raises(RubricError, match=re.escape(problem)):
        driven(checks.replace(old, new), "2 * x", tmp_path, fork_servers)


@pytest.mark.parametrize("name", ["rnn_step_without_bias", "lstm_backward_drops_dnext_h"])
def test_wrong_layers_are_paid_for_once(name, judge, tmp_path):
    """A right captioning model on one's own wrong layers loses nothing for it."""
    folder = handed_in(f"wrong/{name}", tmp_path)
    shutil.copy(SUBMISSIONS / "full_marks" / "vectorised" / "rnn.py", folder)
    results = judge(folder, "q5.5", "q5.6")
    assert {result.points for result in results.values()} == {4}
    assert "right when tested with a right" in results["q5.5"].notes[0]


def test_layers_that_return_zeros_cost_the_model_nothing(judge, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(SUBMISSIONS / "full_marks" / "vectorised", folder)
    with (folder / "rnn_layers.py").open("a") as file:
        file.write(
            """

def rnn_forward(x, h0, Wx, Wh, b):
    return np.zeros((*x.shape[:2], h0.shape[1])), (x, h0, Wx, Wh, b)


def rnn_backward(dh, cache):
    return tuple(np.zeros(value.shape) for value in cache)
"""
        )
    assert judge(folder, "q5.5")["q5.5"].points == 4
