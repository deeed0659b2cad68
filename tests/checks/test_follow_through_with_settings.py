"""Follow-through for a function whose arguments are not all arrays: a stride is what it is."""

import shutil

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
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
