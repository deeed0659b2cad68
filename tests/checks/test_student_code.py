"""What a reply from a worker means: outputs by name, or a failure that fits the exception."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.raised import failure
from grader.checks.student_code import ForeignFailure, StudentModule, unpack, without_texts
from grader.errors import Failure
from grader.isolation.sandbox.reply import Reply
from grader.isolation.sandbox.student_error import StudentError
from grader.isolation.wire import Opaque

HERE = (("layers.py", 7, "step"),)
X = np.ones(3)


def error(kind="ValueError", text="", *, kinds=None, where=HERE, **more):
    """Return an exception as a worker reports it."""
    kinds = kinds if kinds is not None else (kind, "Exception")
    found = {"missing_package": None, "undefined": False} | more
    return StudentError(kind, kinds, text, where, **found)


class Answers:
    """A worker that gives these replies, and keeps what it was asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    def call(self, *asked):
        self.asked.append(asked)
        return self.replies.pop(0)

    drive = call


def module(*replies, missing=(), forbidden=(), withhold=False):
    return StudentModule(Answers(*replies), "layers.py", missing, forbidden, withhold=withhold)


def test_outputs_have_the_names_of_the_rubric_and_opaque_ones_are_asked_for_by_position():
    worker = Answers(Reply((X, "handle", 2 * X)))
    found = StudentModule(worker, "layers.py", ()).call(
        "step", {"x": 1, "w": 2}, ["out", "cache", "more"], ["cache", "more"]
    )
    assert list(found) == ["out", "cache", "more"]
    assert found["cache"] == "handle"
    assert (found["more"] == 2 * X).all()
    assert worker.asked == [("step", (1, 2), (1, 2))]


@pytest.mark.parametrize(
    ("value", "names", "reason", "words"),
    [
        (None, ["out"], "not_implemented", "step returns None, expected out: is a return"),
        (None, ["out", "c"], "not_implemented", "returns None, expected 2 values (out, c)"),
        ((None, None), ["out", "c"], "not_implemented", "step returns None"),
        ([None], ["out", "c"], "not_implemented", "step returns None"),
        (X, ["out", "c"], "wrong_shape", "step returns one value, expected 2 values (out, c)"),
        ({"out": X, "c": X}, ["out", "c"], "wrong_shape", "step returns a value of type dict"),
        ((X, X, X), ["out", "c"], "wrong_shape", "step returns 3 values, expected 2 values (out"),
        ((X,), ["out", "c"], "wrong_shape", "step returns 1 values, expected 2 values"),
        ((), ["out", "c"], "wrong_shape", "step returns 0 values, expected 2 values"),
    ],
)
def test_another_number_of_values_is_a_failure(value, names, reason, words):
    with pytest.raises(Failure) as caught:
        unpack("step", value, names)
    assert caught.value.reason == reason
    assert words in caught.value.message


def test_values_of_the_wrong_type_are_left_to_the_comparison():
    assert unpack("step", (1, 2), ["out"]) == {"out": (1, 2)}
    assert unpack("step", (X, None), ["out", "cache"])["cache"] is None
    assert np.isnan(unpack("step", np.nan, ["loss"])["loss"])


@pytest.mark.parametrize(
    ("raised", "reason", "message", "cause"),
    [
        (error(undefined=True), "missing", "layers.py has no function step", None),
        (
            error("ValueError", "bad shape"),
            "exception",
            "step raised ValueError: bad shape (layers.py, line 7, in step)",
            "exception.ValueError",
        ),
        (error("ZeroDivisionError", where=()), "exception", "step raised ZeroDivisionError", None),
        (
            error("NotImplementedError", kinds=("NotImplementedError", "RuntimeError")),
            "not_implemented",
            "step is not implemented yet",
            None,
        ),
        (
            error("MemoryError", "8 GiB", kinds=("_ArrayMemoryError", "MemoryError")),
            "memory",
            "step raised MemoryError: 8 GiB (layers.py, line 7, in step)",
            None,
        ),
        (
            error("ModuleNotFoundError", missing_package="scipy"),
            "import_error",
            (
                "step needs 'scipy', which is neither in the submission nor installed in the "
                "grader (layers.py, line 7, in step)"
            ),
            None,
        ),
        (
            error("ModuleNotFoundError", missing_package="torch"),
            "forbidden",
            "step uses 'torch' (layers.py, line 7, in step): solve this question without it",
            None,
        ),
    ],
)
def test_an_exception_becomes_the_failure_that_it_means(raised, reason, message, cause):
    found = failure(raised, "step", "layers.py", forbidden=["torch"])
    assert (found.reason, found.message) == (reason, message)
    if cause is not None:
        assert found.cause is not None
        assert found.cause.id == cause


def test_a_class_that_only_has_the_name_of_an_unfinished_function_gets_no_excuse():
    own = error("NotImplementedError", kinds=("Exception",))
    assert failure(own, "step", "layers.py").reason == "exception"


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (error("PermissionError", "denied"), "code may not start processes"),
        (
            error("OSError", "[Errno 30] Read-only file system: 'x'"),
            "writes only to its working folder",
        ),
        (error("FileNotFoundError", "No such file: '/home/a.npy'"), "only the files that you"),
    ],
)
def test_what_only_grading_forbids_is_explained(raised, words):
    assert words in failure(raised, "step", "layers.py").message


def test_a_file_of_ones_own_that_is_missing_is_not_blamed_on_grading():
    message = failure(error("FileNotFoundError", "No such file: 'a'"), "f", "f.py").message
    assert "during grading" not in message


@pytest.mark.parametrize(
    ("raised", "foreign"),
    [
        (error(), False),
        (error(where=()), True),
        (error(by_driver=True), True),
        (error(where=(), undefined=True), False),
        (error(by_driver=True, undefined=True), False),
    ],
)
def test_an_exception_outside_the_students_lines_leaves_open_whose_fault_it_is(raised, foreign):
    made = module(Reply(error=raised))
    with pytest.raises(Failure) as caught:
        made.drive(("d.py", "source"), "run", "step", {})
    assert isinstance(caught.value, ForeignFailure) == foreign
    assert made.raised == [raised]


def test_withheld_words_go_to_the_instructor_and_not_to_the_student():
    secret = error("Leak", "label 7", kinds=("Leak", "ValueError"), where=(("l_7.py", 3, "l_7"),))
    made = module(Reply(error=secret), withhold=True)
    with pytest.raises(Failure) as caught:
        made.call("step", {}, ["out"])
    assert caught.value.message == "step raised ValueError (your file, line 3)"
    assert made.withheld == ["Leak: label 7 (l_7.py, line 3, in l_7)"]


def test_changed_arguments_are_noted_by_name_and_positions_that_are_not_there_are_not():
    made = module(Reply(X, mutated=(1, 0)), Reply(X, mutated=(0, 5, -1)), Reply(X, mutated=()))
    for function in ("step", "update", "clean"):
        made.call(function, {"x": X, "w": X}, ["out"])
    step, update = made.mutation_notes()
    assert step.startswith("step changes its arguments w, x in place: no points lost")
    assert update.startswith("update changes its argument x in place")


def test_a_package_that_is_not_installed_is_noted_unless_it_is_forbidden_anyway():
    (note,) = module(missing=["scipy", "torch"], forbidden=["torch"]).notes
    assert note.startswith("layers.py imports 'scipy', which is neither in the submission nor")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("nihw,njhw->nij", "str"),
        ({"loss": "secret"}, "str"),
        (["secret"], "str"),
        ((X, Opaque(3, "module.Secret")), "object"),
        ({"a": [Opaque(3, "secret")]}, "object"),
    ],
)
def test_where_words_are_withheld_values_carry_none(value, kind):
    found = without_texts(value)
    assert "ecret" not in repr(found)
    assert "nihw" not in repr(found)
    assert f"type_name='{kind}'" in repr(found)


def test_the_usual_types_keep_their_names():
    value = {"loss": X, "image": Opaque(3, "Tensor"), "n": 3, "none": None}
    assert without_texts(value) == value


def test_where_words_are_withheld_a_package_is_named_only_if_it_was_before():
    raised = error("ModuleNotFoundError", missing_package="nihw,njhw->nij")
    assert failure(raised.without_words(["seaborn"]), "step", "a.py").message.startswith(
        "step needs a package that is neither in the submission nor"
    )
    raised = error("ModuleNotFoundError", missing_package="seaborn")
    assert "needs 'seaborn'" in failure(raised.without_words(["seaborn"]), "step", "a.py").message
