"""Known mistakes: named where a result is theirs to the digit, and nowhere else."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.assignment.reference import SolvedCase
from grader.checks.mistakes import by_name, matching_mistake, mistaken, with_mistake
from grader.checks.numerics import Comparison, Tolerance
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
    return with_mistake(context(**(mistakes or HALVED)), "f", FORWARD, found, outputs, LIMIT).text


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


@pytest.mark.parametrize("reason", ["wrong_dtype", "exception", None])
def test_only_numbers_can_be_explained(reason):
    found = Comparison("y", reason, "something else")
    outputs = {"y": X**2 / 2, "s": SQUARES["s"]}
    assert with_mistake(context(**HALVED), "f", FORWARD, found, outputs, LIMIT) == found


def test_the_first_mistake_that_fits_is_named():
    both = {"first": HALVED["it_is_halved"], "second": HALVED["it_is_halved"]}
    text = named({"y": X**2 / 2, "s": SQUARES["s"]}, **both)
    assert "first" in text
    assert "second" not in text


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
    found = matching_mistake(known, "f", GRADIENT, name, value, LIMIT)
    assert found == ("it is doubled" if hit else None)


def test_a_mistake_may_speak_of_some_gradients_only():
    known = context(it_is_doubled=lambda arguments, _cotangents: {"dx": 4 * arguments["x"]})
    assert matching_mistake(known, "f", GRADIENT, "dz", 3 * X, LIMIT) is None
    assert matching_mistake(known, "f", GRADIENT, "dx", 4 * X, LIMIT) == "it is doubled"


def test_a_mistake_that_raises_is_our_fault():
    known = context(it_fails=lambda x: 1 / 0 * x)
    with pytest.raises(BrokenError, match="ZeroDivisionError"):
        with_mistake(known, "f", FORWARD, WRONG, SQUARES, LIMIT)


def test_a_mistake_that_returns_another_number_of_values_is_noticed():
    with pytest.raises(ValueError, match="argument 2"):
        mistaken(lambda x: (x,), FORWARD, "f")


def test_values_are_named_in_the_order_of_the_expected_ones():
    expected = {"a": X, "b": X}
    assert list(by_name((1, 2), expected)) == ["a", "b"]
    assert by_name(np.float64(3), {"a": X})["a"] == 3
    assert list(by_name({"b": 1, "c": 2}, expected)) == ["b"]
