"""Known mistakes: named where a result is theirs to the digit, and nowhere else."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.assignment.reference import SolvedCase
from grader.checks.base import Tally
from grader.checks.expectations import Tolerance
from grader.checks.mistakes import GivenValues, by_name, explain, known_mistake, mistaken
from grader.checks.numerics import Comparison
from grader.errors import BrokenError, Cause
from grader.isolation.wire import TensorData

LIMIT = Tolerance(1.0e-6, 1.0e-9)
X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
SQUARES = {"y": X**2, "s": X.sum(axis=0)}
FORWARD = SolvedCase("usual", "values", {"x": X}, SQUARES)
GRADIENT = SolvedCase("usual", "values", {"x": X}, {"dx": 2 * X, "dz": X}, {"y": np.ones((2, 3))})
WRONG = Comparison("y", "mismatch", "y differs", Cause("guess", "a guess"))


def context(**mistakes):
    """A context whose case file knows these mistakes, with underscores for spaces."""
    known = {name.replace("_", " "): wrong for name, wrong in mistakes.items()}
    assignment = SimpleNamespace(mistakes=lambda _module, _function: known)
    return SimpleNamespace(assignment=assignment, question=SimpleNamespace(module="m.py"))


HALVED = {"it_is_halved": lambda x: (x**2 / 2, x.sum(axis=0))}


def named(outputs, found=WRONG, **mistakes):
    tally = Tally()
    tally.add(0.0, found.reason, found.text, found.cause)
    given = [GivenValues(FORWARD, outputs, LIMIT)]
    known = context(**(mistakes or HALVED))
    explain(tally, known, "f", (FORWARD, found), given, all_outputs=True)
    return tally.summary


@pytest.mark.parametrize(
    ("outputs", "hit"),
    [
        ({"y": X**2 / 2, "s": SQUARES["s"]}, True),
        ({"y": TensorData(X**2 / 2), "s": SQUARES["s"]}, True),
        ({"y": X**2 / 2 * (1 + 0.9e-6), "s": SQUARES["s"]}, True),
        ({"y": X**2 / 2 * (1 + 1e-5), "s": SQUARES["s"]}, False),
        ({"y": X**2 / 2 * 1.001, "s": SQUARES["s"]}, False),
        ({"y": -(X**2) / 2, "s": SQUARES["s"]}, False),
        ({"y": X**2 / 2, "s": SQUARES["s"] * 1.001}, False),  # all outputs must be its own
        ({"y": (X**2 / 2)[0], "s": SQUARES["s"]}, False),
        ({"y": np.full((2, 3), np.nan), "s": SQUARES["s"]}, False),
        ({"y": "text", "s": SQUARES["s"]}, False),
    ],
)
def test_a_forward_mistake_is_named_where_all_outputs_are_its_own(outputs, hit):
    assert ("it is halved" in named(outputs)) == hit
    assert ("a guess" in named(outputs)) == (not hit)


@pytest.mark.parametrize("reason", ["wrong_dtype", "exception"])
def test_only_numbers_can_be_explained(reason):
    found = Comparison("y", reason, "something else")
    outputs = {"y": X**2 / 2, "s": SQUARES["s"]}
    assert named(outputs, found) == found.text


def test_the_first_mistake_that_fits_is_named():
    both = {"first": HALVED["it_is_halved"], "second": HALVED["it_is_halved"]}
    text = named({"y": X**2 / 2, "s": SQUARES["s"]}, **both)
    assert "first" in text
    assert "second" not in text


def of_gradient(known, name, value):
    return known_mistake(known, "f", [GivenValues(GRADIENT, {name: value}, LIMIT)])


def _doubled(arguments, cotangents):
    return {"dx": 4 * arguments["x"] * cotangents["y"], "dz": arguments["x"]}


@pytest.mark.parametrize(
    ("name", "value", "hit"),
    [
        ("dx", 4 * X, True),
        ("dx", 4 * X * 1.001, False),
        ("dx", -4 * X, False),
        ("dx", 2 * X, False),
        ("dx", 4 * X[:1], False),
        ("dx", None, False),
        ("dz", X, False),  # the mistake leaves it right, so it explains nothing
    ],
)
def test_a_gradient_mistake_is_named_for_each_gradient_by_itself(name, value, hit):
    known = context(it_is_doubled=_doubled)
    assert of_gradient(known, name, value) == ("it is doubled" if hit else None)


def test_a_mistake_may_speak_of_some_gradients_only():
    known = context(it_is_doubled=lambda arguments, _cotangents: {"dx": 4 * arguments["x"]})
    assert of_gradient(known, "dz", 3 * X) is None
    assert of_gradient(known, "dx", 4 * X) == "it is doubled"


def test_a_mistake_that_raises_is_our_fault():
    known = context(it_fails=lambda x: 1 / 0 * x)
    with pytest.raises(BrokenError, match="ZeroDivisionError"):
        known_mistake(known, "f", [GivenValues(FORWARD, SQUARES, LIMIT)])


def test_a_mistake_that_returns_another_number_of_values_is_noticed():
    with pytest.raises(ValueError, match="argument 2"):
        mistaken(lambda x: (x,), FORWARD, "f")


def test_values_are_named_in_the_order_of_the_expected_ones():
    expected = {"a": X, "b": X}
    assert list(by_name((1, 2), expected)) == ["a", "b"]
    assert by_name(np.float64(3), {"a": X})["a"] == 3
    assert list(by_name({"b": 1, "c": 2}, expected)) == ["b"]


OTHER = SolvedCase("other", "values", {"x": -X}, {"y": X**2, "s": -X.sum(axis=0)})
EDGE = SolvedCase("one", "edge_cases", {"x": X[:1]}, {"y": X[:1] ** 2, "s": X[0]})


def in_cases(*given):
    """Name what gives these values of `y`, for pairs of a case and whether it counts."""
    values = [
        GivenValues(case, {"y": y, "s": case.expected["s"]}, LIMIT, n) for case, y, n in given
    ]
    return known_mistake(context(**HALVED), "f", values, all_outputs=True)


def test_a_mistake_is_named_only_if_its_values_are_those_of_every_case():
    assert in_cases((FORWARD, X**2 / 2, True), (OTHER, X**2 / 2, True)) == "it is halved"
    assert in_cases((FORWARD, X**2 / 2, True), (OTHER, X**2 / 3, True)) is None
    assert in_cases((FORWARD, X**2 / 2, True), (OTHER, X**2, True)) is None


def test_a_mistake_that_would_show_where_the_values_are_right_is_another_one():
    assert in_cases((FORWARD, X**2 / 2, True), (EDGE, X[:1] ** 2, False)) is None
    assert in_cases((FORWARD, X**2 / 2, True), (EDGE, X[:1] ** 2 / 2, False)) == "it is halved"
    # What else is wrong there does not count.
    assert in_cases((FORWARD, X**2 / 2, True), (EDGE, 0 * X[:1], False)) == "it is halved"
