"""What runs beside student code: a reply is read as strictly as a function's, and by a hair."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from grader.assignment.reference import Assignment
from grader.checks.drivers import Call, OwnDriver, function_problems, name_problems
from grader.errors import BrokenError, Failure
from tests.checks.test_driven import RIGHT, values
from tests.checks.toy import make

X = np.arange(3.0)


class Replies:
    """A student's module in a worker that answers with this value, forged or not."""

    def __init__(self, reply):
        self._reply = reply

    def drive(self, driver, function, needs, arguments):
        self.asked = (driver[0], function, needs, arguments)
        return self._reply


@pytest.mark.parametrize(
    ("wrong", "points", "reason"),
    [
        ("1.001 * self.slope * x", 2, "mismatch"),
        ("0.999 * self.slope * x", 2, "mismatch"),
        ("-self.slope * x", 2, "mismatch"),
        ("self.slope * x + 1e-5 * (np.arange(len(x)) == 0)", 2, "mismatch"),
        ("(self.slope * x)[:, None]", 2, "wrong_shape"),
        ("(self.slope * x)[:-1]", 2, "wrong_shape"),
        ("np.where(np.arange(len(x)) == 0, np.nan, self.slope * x)", 2, "not_finite"),
        ("self.slope * x / 0 * 0", 2, "not_finite"),
        ("1 // 0", 0, "exception"),
        ("None", 2, None),
        ("'text'", 2, "wrong_dtype"),
        ("self.slope * x * (1 + 1e-9)", 4, None),
    ],
)
def test_a_driver_sees_a_wrong_value_by_a_hair(wrong, points, reason, tmp_path, fork_servers):
    text = "import numpy as np\n" + RIGHT.replace("self.slope * x", wrong)
    result = values(text, tmp_path, fork_servers)
    assert result.points == points, result.message
    if reason is not None:
        assert result.reason == reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "wrong_dtype"),
        ([1, 2], "wrong_dtype"),
        ({"returned": X}, "wrong_dtype"),
        ({"returned": X, "gradients": [X]}, "wrong_dtype"),
        ({"gradients": {}}, "not_implemented"),
        ({"returned": None, "gradients": {}}, "not_implemented"),
        ({"returned": X, "gradients": {}}, "wrong_shape"),
        ({"returned": (X, X, X), "gradients": {}}, "wrong_shape"),
    ],
)
def test_a_forged_or_incomplete_reply_is_the_students_failure(reply, reason):
    call = Call("f", None, ("a", "b"))
    with pytest.raises(Failure) as caught:
        call.beside(Replies(reply), None, {"x": X})
    assert caught.value.reason == reason


def test_a_call_hands_over_the_inputs_that_it_names_in_their_order():
    student = Replies({"returned": (1, 2), "gradients": {"x": 3}})
    found = Call("f", ("seed", "x"), ("a", "b"), ("x", "w")).beside(
        student, None, {"x": X, "w": 1, "seed": 7}
    )
    _name, entry, needs, asked = student.asked
    assert (entry, needs, asked["function"]) == ("call", "f", "f")
    assert list(asked["given"]) == ["seed", "x"]
    assert asked["given"]["seed"] == 7
    assert asked["gradients_of"] == ["x", "w"]
    # A gradient that the reply leaves out is compared as None: it earns nothing.
    assert found == {"a": 1, "b": 2, "dx": 3, "dw": None}


def test_without_names_all_inputs_are_given_and_what_comes_back_is_one_value():
    student = Replies({"returned": (1, 2), "gradients": {}})
    assert Call("f", None, ()).beside(student, None, {"b": 1, "a": 2}) == {"returned": (1, 2)}
    assert list(student.asked[3]["given"]) == ["b", "a"]


def test_the_reference_is_called_in_the_same_way():
    solution = SimpleNamespace(f=lambda x, k: (k * x, x.sum()))
    found = Call("f", ("x", "k"), ("out", "sum")).here(solution, None, {"k": 2, "x": X})
    assert (found["out"] == 2 * X).all()
    assert found["sum"] == 3


@pytest.mark.slow  # torch
def test_a_reference_that_torch_cannot_differentiate_is_our_fault():
    solution = SimpleNamespace(f=lambda x: x.detach() * 2)
    with pytest.raises(BrokenError, match="dx of the reference: torch finds no path from it to"):
        Call("f", ("x",), ("out",), ("x",)).here(solution, None, {"x": X})


def test_a_driver_of_the_assignment_runs_its_own_function_on_the_students(tmp_path):
    make(tmp_path, "")
    assignment = Assignment(tmp_path / "reference")
    student = Replies("value")
    driver = OwnDriver("toy.line", "Line")
    assert driver.beside(student, assignment, {"slope": 2, "x": X}) == "value"
    assert student.asked == ("drivers/toy.py", "line", "Line", {"slope": 2, "x": X})
    assert driver.source(assignment)[0] == "toy"
    assert "def line(student" in driver.source(assignment)[1]
    here = driver.here(assignment.solution("toy.py"), assignment, {"slope": 2.0, "x": X})
    assert (here["value"] == 2 * X).all()


def test_a_driver_that_is_not_there_is_our_fault(tmp_path):
    make(tmp_path, "")
    assignment = Assignment(tmp_path / "reference")
    with pytest.raises(BrokenError, match=r"there is no driver toy\.lines"):
        OwnDriver("toy.lines", "Line").here(None, assignment, {})
    with pytest.raises(BrokenError, match=r"the driver tool\.py cannot be read: No such file"):
        OwnDriver("tool.line", "Line").beside(Replies(1), assignment, {})


def test_names_that_are_there_twice_or_unknown_are_each_a_problem():
    found = list(name_problems("call", ["x", "x", "w_1", "far"], ["x", "w1"]))
    assert found == [
        "call: 'x' appears twice",
        "call: there is no input 'w_1' (did you mean 'w1'?); there are x, w1",
        "call: there is no input 'far'; there are x, w1",
    ]


def test_a_driver_that_the_rubric_misspells_is_named_with_the_one_that_is_meant(tmp_path):
    make(tmp_path, "")
    assignment = Assignment(tmp_path / "reference")
    problems = [
        list(function_problems("driver", "drivers", name, assignment))
        for name in ("toy.line", "toy.lime", "toys.line", "zzz.line", "toy.zzz")
    ]
    assert problems == [
        [],
        ["driver: drivers/toy.py has no function 'lime' (did you mean 'line'?)"],
        ["driver: there is no file drivers/toys.py (did you mean 'toy.py'?)"],
        ["driver: there is no file drivers/zzz.py"],
        ["driver: drivers/toy.py has no function 'zzz'"],
    ]
