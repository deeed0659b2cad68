"""Gradients of a wrong forward of one's own: what is near the right one, what proves nothing."""

import shutil

import numpy as np
import pytest

from grader.assignment.reference import Assignment, SolvedCase
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.checks.differences import Differences
from grader.checks.nearness import CORRELATION, Nearness, Slopes, correlation, vanishes
from grader.job import Settings
from grader.run.session import Session
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "convolution"
FLIPPED = """
import honest


def conv_forward(x, w, b, stride, pad):
    return honest.conv_forward(x, w[:, :, ::-1, ::-1], b, stride, pad)


def conv_backward(dout, cache):
    dx, dw, db = honest.conv_backward(dout, cache)
    return dx, dw[:, :, ::-1, ::-1], db
"""


def test_the_right_gradient_of_ones_own_flipped_kernel_earns_its_fraction(tmp_path, fork_servers):
    shutil.copytree(
        EXAMPLE / "reference", tmp_path / "reference", ignore=shutil.ignore_patterns("submissions")
    )
    shutil.copytree(EXAMPLE / "submissions_template", tmp_path / "submissions_template")
    text = (EXAMPLE / "rubric.yaml").read_text()
    key = "gradients: {dx: x, dw: w, db: b}"
    assert key in text
    path = tmp_path / "rubric.yaml"
    path.write_text(text.replace(key, f"{key}\n        follow_through: 0.5"))
    rubric = load_rubric(path, KINDS)
    handed_in = tmp_path / "handed_in"
    handed_in.mkdir()
    folder = EXAMPLE / "reference" / "submissions" / "full_marks" / "loops"
    shutil.copy(folder / "convolution.py", handed_in / "honest.py")
    (handed_in / "convolution.py").write_text(FLIPPED)
    staged = fork_servers.stage("handed_in", handed_in, rubric)
    session = Session(rubric, Assignment(rubric.reference), staged, fork_servers, Settings())
    (question,) = [question for question in rubric.questions if question.id == "q1"]
    forward, backward = (session.run(question, check) for check in question.checks)
    fork_servers.unstage()
    assert forward.outcome == "failed"
    assert backward.outcome == "partial", backward.message
    # db does not depend on the kernel at all: it is right, the two others are followed through.
    assert round(backward.points, 6) == 3
    assert "right gradient of your own conv_forward" in backward.message


# ------------------------------------------------------------ what is near the right one ---

RNG = np.random.default_rng(5)
INPUTS = {"x": RNG.normal(size=(4, 3)), "w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}


def right(x, w, b):
    return np.tanh(x @ w / 2 + b)


def no_bias(x, w, b):
    return np.tanh(x @ w / 2)


COTANGENT = RNG.normal(size=(4, 2))
CASE = SolvedCase("usual", "values", INPUTS, {}, {"y": COTANGENT}, {"y": right(**INPUTS)})
NEAR = Nearness({"the bias is forgotten": no_bias}, "f", ("y",))


class Module:
    """Runs a function here, as a student's module does in a worker."""

    def __init__(self, function):
        self.function = function

    def call(self, name, arguments, returns, opaque):
        del name, opaque
        return dict(zip(returns, (self.function(**arguments),), strict=True))

    def call_each(self, name, arguments, returns, opaque):
        return [self.call(name, one, returns, opaque) for one in arguments]


def measured(function, of=right):
    """Return how the slopes of a function were measured, and the slopes beside those of another."""
    runs = [Differences(Module(one), CASE, "f", ("y",), (), ("y",)) for one in (function, of)]
    slopes = {}
    for name, value in INPUTS.items():
        entries = list(range(value.size))
        own, theirs = (run.slopes(name, entries) for run in runs)
        slopes[name] = Slopes(entries, own, theirs)
    return runs[0], slopes


def confirmed(function):
    like = NEAR.like([(CASE, {"y": function(**INPUTS)})])
    return None if like is None else NEAR.confirmed(like, *measured(function))


def test_a_known_mistake_is_known_by_its_values_and_its_slopes():
    assert NEAR.like([(CASE, {"y": no_bias(**INPUTS)})]) == [no_bias]
    # The bias has no slope: nothing follows from zeros.
    assert confirmed(no_bias) == {"x", "w"}


def test_the_slopes_of_a_known_mistake_must_be_its_own():
    run, slopes = measured(lambda x, w, b: no_bias(x, w, b) * 1.001)
    assert NEAR.confirmed([no_bias], run, slopes) == set()


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b: np.tanh(x @ w / 2 + 1.2 * b),
        lambda x, w, b: 1 / (1 + np.exp(-(x @ w / 2 + b))),
        lambda x, w, b: 0.01 * right(x, w, b) + 3,
    ],
)
def test_what_goes_along_with_the_right_one_is_near(function):
    assert confirmed(function) == {"x", "w", "b"}


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b: np.zeros((4, 2)),
        lambda x, w, b: np.full((4, 2), np.nan),
        lambda x, w, b: np.full((4, 2), np.inf),
        lambda x, w, b: x[:, :2],
        lambda x, w, b: np.tanh(x[:, :2] + w[0] + b),
        lambda x, w, b: np.broadcast_to(x.sum() + w.sum() + b.sum(), (4, 2)),
        lambda x, w, b: -right(x, w, b),
        lambda x, w, b: right(x, w, b)[::-1],
        lambda x, w, b: np.sin(1e3 * (x @ w + b)),
        lambda x, w, b: "text",
        lambda x, w, b: right(x, w, b)[0],
    ],
)
def test_what_does_not_is_not(function):
    assert confirmed(function) is None


@pytest.mark.parametrize(
    "apart",
    [
        lambda x, w, b: x.sum() + w.sum() + b.sum(),
        lambda x, w, b: 1e-4 * (x.sum() - w.sum()),
        lambda x, w, b: -(x.sum() + w.sum() + b.sum()),
    ],
)
def test_right_values_with_slopes_of_something_else_prove_nothing(apart):
    value, before = right(**INPUTS), apart(**INPUTS)

    def recognizes(x, w, b):
        """Right at the inputs of the case, and near them a sum."""
        return value * 1.001 + apart(x, w, b) - before

    assert not confirmed(recognizes)


def test_infinities_and_nan_are_no_evidence():
    assert not correlation(np.array([1.0, np.nan]), np.array([1.0, 2.0])) >= CORRELATION
    assert not correlation(np.array([1.0, np.inf]), np.array([1.0, 2.0])) >= CORRELATION
    assert not correlation(np.ones(3), np.arange(3.0)) >= CORRELATION


@pytest.mark.parametrize(
    ("gradient", "proves_nothing"),
    [
        (np.array([1.0, 2.0]), False),
        (np.array([0.0, 2.1e-3]), False),
        (np.array([0.0, 1.9e-3]), True),
        (np.zeros(2), True),
        (np.array([1.0, np.nan]), True),
        (np.array([1.0, np.inf]), True),
        (np.zeros(0), False),
    ],
)
def test_a_gradient_a_thousand_times_smaller_than_usual_proves_nothing(gradient, proves_nothing):
    usual = np.array([0.5, -2.0]) if gradient.size else gradient
    assert vanishes(gradient, usual) == proves_nothing
