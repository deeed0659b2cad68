"""One mistake in the shipped reference is found when the rubric is read, before it costs points."""

import shutil

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("rnn_layers.py", "return dout @ w.T, x_rows.T", "return -dout @ w.T, x_rows.T",
         "q5.2: gradients: dx: reference/rnn_layers.py:"),
        ("rnn_layers.py", "dh[t] + dh_t, dc_t, cache", "dh[t] + dh_t, -dc_t, cache", "q4.4"),
        ("rnn_layers.py", "return x @ w + b, (x, w)", "return x @ w - b, (x, w)",
         "q5.1: function: reference/second/rnn_layers.py and reference/rnn_layers.py differ"),
        ("rnn.py", "= features.T @ dh0,", "= -features.T @ dh0,",
         "q5.5: outputs: the driver captioning.loss_and_grads on the reference: dW_proj is"),
    ],
)  # fmt: skip
def test_one_mistake_in_the_reference_is_a_problem_of_the_rubric(file, old, new, words, tmp_path):
    shutil.copy(ROOT / "rubric.yaml", tmp_path)
    skipped = shutil.ignore_patterns("submissions", "__pycache__")
    shutil.copytree(ROOT / "reference", tmp_path / "reference", ignore=skipped)
    (tmp_path / "submissions_template").symlink_to(ROOT / "submissions_template")
    path = tmp_path / "reference" / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(RubricError) as error:
        load_rubric(tmp_path / "rubric.yaml", KINDS)
    assert any(words in line for line in error.value.problems), error.value.problems
    assert not [
        line
        for line in error.value.problems
        if "differences" not in line and "differ in case" not in line
    ]
