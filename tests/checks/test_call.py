"""Checks without a driver: `call: [x, y]`, and `grad: [x]` for functions written in torch."""

import re
from textwrap import dedent

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from tests.checks.toy import judged, make

TRAINING = """
      - id: q1.1
        title: classify
        points: 4
        kind: training
        function: classify
        call: [train_x, train_y, test_x, seed]
        dataset: signs
        tiers:
          mini: {zero_at: 0.5, full_at: 0.9}
          full: {zero_at: 0.5, full_at: 0.9}
"""
PROPERTY = """
      - id: q1.1
        title: doubled
        points: 4
        kind: property
        function: doubled
        call: [x]
        dataset: toy
        judge: called.doubled
        properties: {twice: 1.0}
"""
VALUES = """
      - id: q1.1
        title: split
        points: 4
        kind: values
        function: split
        call: [x, at]
        outputs: {low: 0.5, high: 0.5}
"""
GRAD = """
      - id: q1.1
        title: loss
        points: 4
        kind: values
        function: loss
        module: losses.py
        grad: [scores]
        outputs: {loss: 0.5, dscores: 0.5}
"""
SOFTMAX = """
      - id: q1.1
        title: softmax
        points: 4
        kind: values
        function: softmax
        module: losses.py
        call: [scores]
        grad: [scores]
        outputs: {dscores: 1.0}
"""
TORCH = "    preload: [numpy, torch]\n"
LOSSES = """
    import torch

    def softmax(scores):
        return torch.softmax(scores, dim=1)

    def loss(scores, labels):
        rows = torch.arange(len(labels))
        return -torch.log_softmax(scores, dim=1)[rows, labels].mean()
    """
FILES = {
    "reference/toy.py": """
        def split(x, at):
            return x[:at], x[at:]
        """,
    "reference/losses.py": LOSSES,
    "reference/cases/toy.py": """
        import numpy as np

        from grader.author import Case

        def split(rng):
            yield Case("five", {"note": "not given", "at": 2, "x": rng.normal(size=5)})

        def longer(rng):
            yield Case("forty", {"at": 9, "x": rng.normal(size=40)})
        """,
    "reference/cases/losses.py": """
        import numpy as np

        from grader.author import Case

        def loss(rng):
            scores, labels = rng.normal(size=(4, 3)), rng.integers(0, 3, 4)
            yield Case("four", {"scores": scores, "labels": labels})

        def softmax(rng):
            yield Case("two", {"scores": rng.normal(size=(2, 3))})
        """,
    "reference/datasets/signs.py": """
        import numpy as np

        def load(tier, data, seed):
            rng = np.random.default_rng(seed)
            x = rng.normal(size=(120, 2))
            y = (x[:, 0] > 0).astype(int)
            inputs = {"train_x": x[:60], "train_y": y[:60], "test_x": x[60:]}
            return {"inputs": inputs, "withheld": {"labels": y[60:]}}
        """,
    "reference/judges/called.py": """
        import numpy as np

        from grader.author import Evidence, Finding

        def doubled(result, inputs, withheld):
            right = np.array_equal(result["returned"], withheld["y"])
            return Evidence(findings=[Finding("twice", float(right), "not twice x")])
        """,
}


@pytest.fixture
def result(tmp_path, fork_servers):
    """Return a function that judges code as the module of a check."""

    def judge(checks, text, *, torch=False):
        rubric = made(tmp_path, checks, torch=torch)
        name = "losses.py" if "losses.py" in checks else "toy.py"
        (found,) = judged(rubric, {name: text}, fork_servers).values()
        return found

    return judge


def made(folder, checks, *, torch=False):
    rubric = make(folder, checks, TORCH if torch else "")
    for name, text in FILES.items():
        (folder / name).write_text(dedent(text))
    (folder / "submissions_template/toy.py").write_text("from helper import *\n")
    (folder / "submissions_template/losses.py").write_text(dedent(LOSSES))
    return rubric


NEAREST = """
    import numpy as np

    def classify(train_x, train_y, test_x, seed):
        means = [train_x[train_y == label].mean(axis=0) for label in (0, 1)]
        distances = [np.square(test_x - mean).sum(axis=1) for mean in means]
        return np.argmin(distances, axis=0)
    """


def test_what_a_called_function_returns_are_the_predictions(result):
    found = result(TRAINING, NEAREST)
    assert (found.outcome, found.points) == ("passed", 4)


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        (NEAREST.replace("argmin", "argmax"), "below_threshold", "you get points above 0.5"),
        (NEAREST.replace("return", "found ="), "not_implemented", "classify returns None"),
        (NEAREST.replace("axis=0)\n    ", "axis=0)[:7]\n    "), "wrong_shape", "expected (60,)"),
        (NEAREST.replace("train_y, test_x", "test_x"), "exception", "classify raised TypeError"),
        ("x = 1", "missing", "has no function classify"),
    ],
)
def test_a_called_training_function_that_is_wrong_earns_nothing(text, reason, words, result):
    found = result(TRAINING, text)
    assert (found.points, found.reason) == (0, reason)
    assert words in found.message


def test_what_a_called_function_returns_goes_to_the_judge(result):
    assert result(PROPERTY, "def doubled(x):\n    return 2 * x\n").points == 4
    wrong = result(PROPERTY, "def doubled(x):\n    return 3 * x\n")
    assert (wrong.points, wrong.message) == (0, "not twice x")


def test_each_value_of_a_call_has_its_share(result):
    assert result(VALUES, "def split(x, at):\n    return x[:at], x[at:]\n").points == 4
    found = result(VALUES, "def split(x, at):\n    return x[:at], x[:at]\n")
    assert (found.points, found.reason) == (2, "wrong_shape")
    one = result(VALUES, "def split(x, at):\n    return x[:at]\n")
    assert "split returns one value, expected 2 values (low, high)" in one.message


SLOW = """
    import time

    def split(x, at):
        time.sleep(0.002 * (len(x) > 5) * len(x))
        return x[:at], x[at:]
    """


@pytest.mark.parametrize("costly", ["note", "pending"])
def test_values_that_take_much_longer_than_the_references_are_noted(costly, result):
    checks = f"{VALUES.rstrip()}\n        larger: longer\n        costly: {costly}\n"
    found = result(checks, SLOW)
    said = found.message if costly == "pending" else found.notes[-1]
    assert "case forty: split takes" in said
    assert (found.outcome, found.points) == (
        ("pending", 0) if costly == "pending" else ("passed", 4)
    )
    quick = result(checks, "def split(x, at):\n    return x[:at], x[at:]\n")
    assert (quick.outcome, quick.notes) == ("passed", ())


def test_values_that_are_wrong_have_no_time_of_interest(result):
    checks = f"{VALUES.rstrip()}\n        larger: longer\n"
    found = result(checks, SLOW.replace("x[at:]", "x[:at]"))
    assert not any("as long as" in note for note in found.notes)


def test_a_loss_in_torch_needs_no_driver(result):
    found = result(GRAD, LOSSES, torch=True)
    assert (found.outcome, found.points) == ("passed", 4)


@pytest.mark.parametrize(
    ("wrong", "points", "reason", "words"),
    [
        # The value is right, and nothing can be learned from it.
        ("-torch.log_softmax(scores.detach(), dim=1)", 2, "mismatch", "torch finds no path"),
        ("torch.log_softmax(scores, dim=1)", 0, "mismatch", "loss"),
        ("-torch.log_softmax(scores, dim=0)", 0, "mismatch", "loss"),
    ],
)
def test_a_wrong_loss_or_a_wrong_gradient_costs_its_share(wrong, points, reason, words, result):
    text = LOSSES.replace("-torch.log_softmax(scores, dim=1)", wrong)
    found = result(GRAD, text, torch=True)
    assert (found.points, found.reason) == (points, reason)
    assert words in found.message


def test_a_gradient_whose_sum_is_zero_is_seen(result):
    """The gradient of the plain sum of a softmax is zero, whatever its temperature."""
    assert result(SOFTMAX, LOSSES, torch=True).points == 4
    other = LOSSES.replace("torch.softmax(scores", "torch.softmax(1.001 * scores")
    assert result(SOFTMAX, other, torch=True).points == 0


@pytest.mark.parametrize(
    ("checks", "old", "new", "words"),
    [
        (TRAINING, "test_x", "test_xs", "call: there is no input 'test_xs' (did you mean 'test_x'"),
        (TRAINING, "seed]", "seed]\n        driver: toy.train", "needs either a driver or a call"),
        (VALUES, "[x, at]", "[x, att]", "call: there is no input 'att' (did you mean 'at'?)"),
        (VALUES, "call: [x, at]", "call: x", "call: 'x'"),
        (VALUES, "outputs:", "larger: large\n        outputs:", "large"),
        (VALUES, "call: [x, at]", "call: [x, x]", "call: 'x' appears twice"),
        (VALUES, "        call: [x, at]\n", "", "needs either a driver or a call"),
        (GRAD, "grad: [scores]", "grad: [score]", "outputs: dscore is missing"),
        (SOFTMAX, "call: [scores]", "call: []", "grad: there is no input 'scores'"),
        (GRAD, "outputs:", "follow_through: 0.5\n        outputs:", "needs builds_on"),
    ],
)
def test_a_call_that_cannot_be_made_is_a_problem_of_the_rubric(checks, old, new, words, tmp_path):
    assert old in checks
    path = made(tmp_path, checks.replace(old, new), torch=True)
    with pytest.raises(RubricError, match=re.escape(words)):
        load_rubric(path, KINDS)
