"""A file of predictions beside the model that is trained here: what does not fit is noted."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.assignment.reference import Dataset
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, handed_in
from grader.errors import Failure, RubricError
from tests.checks.test_judged import JUDGE
from tests.checks.test_predictions import LABELS, SPEC
from tests.checks.test_rebuild import path

PUBLIC = SPEC.seed
LINES = 1.0 * LABELS


def note(told, value=0.95, result=None, *, labels=LABELS, other=True):
    """Return the note about a file; the run has ``other`` items than the file."""

    def dataset(_name, _tier, _data, seed):
        items = [f"{seed if other else 0} {i}" for i in range(len(LABELS))]
        return Dataset({"unlabelled": items}, {} if labels is None else {"secret": labels})

    def read(_name):
        if told is None:
            raise Failure("missing", "there is no such file")
        return "\n".join(map(str, told)).encode()

    context = SimpleNamespace(
        tier="mini", data=None, seed=PUBLIC + 1, question=SimpleNamespace(checks=(SPEC,)),
        assignment=SimpleNamespace(dataset=dataset), read_file=read,
    )  # fmt: skip
    return handed_in.note(context, "p", "train", result or {}, value)


def with_wrong(count):
    return [1 - v if i < count else v for i, v in enumerate(LABELS)]


@pytest.mark.parametrize(
    ("wrong", "value", "noted"),
    [(5, 0.95, False), (0, 0.92, False), (5, 0.6, True), (40, 0.95, True), (40, 0.65, False)],
)
def test_shares_of_right_lines_are_compared_where_the_items_are_others(wrong, value, noted):
    text = note(with_wrong(wrong), value)
    assert bool(text) == noted
    if noted:
        expected = f"predictions.txt is right for {100 - wrong}% of its lines, the model that train"
        assert text.startswith(expected)
        assert f"{value:.0%}" in text


@pytest.mark.parametrize(
    ("wrong", "value", "noted"), [(10, 0.95, False), (25, 0.95, True), (25, 0.8, False)]
)
def test_lines_are_compared_where_the_items_are_the_same(wrong, value, noted):
    for own in (LINES, 1 - LINES):  # the run may have exchanged the labels
        text = note(with_wrong(wrong), value, {"handed_in": own}, labels=None, other=False)
        assert bool(text) == noted
        assert (f"differ in {wrong}% of the lines" in text) == noted


@pytest.mark.parametrize(
    "own", [None, "text", np.zeros(3), [object()], {"a": 1}, np.array(["x"] * len(LABELS))]
)
def test_nothing_is_noted_where_nothing_can_be_compared(own):
    assert note(with_wrong(50), 0.95, {"handed_in": own}, labels=None, other=False) == ""
    assert note(with_wrong(50), 0.95, {"handed_in": LINES}, labels=None) == ""
    assert note(None) == ""
    assert note(["x"]) == ""


def test_another_check_than_one_of_predictions_is_a_problem_of_the_rubric(tmp_path):
    for name in ("q1.1", "q1.9"):
        made = path(tmp_path, f"{JUDGE}        handed_in: {name}\n")
        with pytest.raises(RubricError, match=r"no check 'q1\..' of the kind predictions"):
            load_rubric(made, KINDS)
