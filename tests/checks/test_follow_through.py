"""Follow-through: who earns it, and functions and gradients that prove nothing."""

import shutil

import numpy as np
import pytest

from grader.assignment.reference import Assignment, SolvedCase
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.checks.follow_through import is_an_attempt, vanishes
from grader.errors import Failure, WorkerLost
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


# ------------------------------------------------- what is an attempt, and what proves nothing ---

RNG = np.random.default_rng(5)
INPUTS = {"x": RNG.normal(size=(4, 3)), "w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
CASE = SolvedCase("usual", "values", {**INPUTS, "stride": 2}, {}, {}, {})


class Module:
    """Runs a function here, as a student's module does in a worker."""

    def __init__(self, function):
        self.function = function

    def call(self, name, arguments, returns, opaque):
        del name, opaque
        return dict(zip(returns, (self.function(**arguments), "cache"), strict=True))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b, stride: np.tanh(x @ w + b) * stride,
        lambda x, w, b, stride: x @ w,  # the bias may be forgotten
        lambda x, w, b, stride: x @ w + b + 1,
        lambda x, w, b, stride: -(x @ w) / b,
        lambda x, w, b, stride: (x @ w).astype(np.float32),
    ],
)
def test_a_function_in_which_the_inputs_act_together_is_an_attempt(function):
    assert is_an_attempt(Module(function), "f", CASE, ("y", "cache"), ("cache",))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b, stride: np.zeros((4, 2)),
        lambda x, w, b, stride: b,
        lambda x, w, b, stride: x[:, :2],
        lambda x, w, b, stride: x[:, :2] + w[0] + b,
        lambda x, w, b, stride: np.tanh(x[:, :2]),
        lambda x, w, b, stride: x.sum() + w.sum() + b.sum(),
        lambda x, w, b, stride: np.tanh(x[:, :2] + 1e-12 * w[0] * b),
        lambda x, w, b, stride: np.full((4, 2), np.nan),
        lambda x, w, b, stride: "text",
        lambda x, w, b, stride: [1, "two"],
        lambda x, w, b, stride: np.zeros(np.random.default_rng().integers(1, 100000)),
    ],
)  # fmt: skip
def test_a_function_whose_inputs_do_not_act_together_is_not(function):
    assert not is_an_attempt(Module(function), "f", CASE, ("y", "cache"), ("cache",))


def test_a_function_that_fails_for_other_inputs_is_not_an_attempt():
    def fails(x, w, b, stride):
        if x is not CASE.arguments["x"]:
            raise Failure("exception", "only for the usual inputs")
        return x @ w

    assert not is_an_attempt(Module(fails), "f", CASE, ("y", "cache"), ("cache",))


def test_a_lost_worker_is_not_taken_for_an_answer():
    def lost(x, w, b, stride):
        raise WorkerLost("timeout", "too slow", retry=False)

    with pytest.raises(WorkerLost):
        is_an_attempt(Module(lost), "f", CASE, ("y", "cache"), ("cache",))


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
