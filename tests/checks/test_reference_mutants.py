"""A mistake that nobody wrote down is named if the reference with one change gives the same."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from grader.assignment import digests
from grader.assignment.reference import Assignment, SolvedCase
from grader.checks import kept_changes, reference_mutants
from grader.checks.expectations import Tolerance
from grader.checks.reference_mutants import ChangedReference
from grader.isolation import bounded
from tests.checks.toy_layers import CASES, FORWARD, GRADIENT, RIGHT, changed, judge
from tests.conftest import ROOT

REFERENCE = ROOT / "reference"
RETURNED = "return da @ w.T, x.T @ da, da.sum(axis=0)"
SOLVED = [
    SolvedCase(name, "values", {"x": np.ones(2)}, {}, {"y": np.ones(2)}, {})
    for name in ("usual", "other")
]
SHARED = "these are exactly the values you get when "


@pytest.fixture
def graded(tmp_path, fork_servers):
    """Judge a module with one check."""

    def run(source=RIGHT, check=GRADIENT, cases=CASES):
        return judge(tmp_path, fork_servers, check, source, cases)

    return run


def causes(result):
    return {part.name: part.cause and part.cause.id for part in result.parts if part.earned < 1}


def test_a_wrong_forward_is_named_by_the_change_that_gives_the_same(graded):
    result = graded(changed(("np.tanh(x @ w + b)", "np.tanh(x @ w - b)")), FORWARD)
    words = "`-` is used for `+` where y is computed"
    assert f"{SHARED}{words} (3 of 3 similar cases fail)" in result.message
    identifier = "mistake.layer_forward.minus_is_used_for_plus_where_y_is_computed"
    assert causes(result)["values"] == identifier


@pytest.mark.parametrize(
    ("function", "forward"),
    [("rnn_backward", "rnn_forward"), ("temporal_softmax_loss", "temporal_softmax_loss")],
)
def test_a_change_is_found_again_by_its_number(function, forward):
    spec, shipped = SimpleNamespace(function=function, forward=forward), Assignment(REFERENCE)
    every = list(reference_mutants._changes(spec, shipped, "rnn_layers.py"))
    assert {mutant.function for _number, mutant in every} == {function, forward}
    assert len({number for number, _mutant in every}) == len(every) > 200
    for number, mutant in every[::7]:
        again = reference_mutants._change(spec, shipped, "rnn_layers.py", number)
        assert (again, again.number) == (mutant, mutant.number)


def test_a_change_says_more_than_the_place_of_what_is_wrong(graded, monkeypatch):
    rows = (
        "y = np.zeros((len(x), len(b)), dtype=x.dtype)\n    for n in range(len(x)):\n        y[n] ="
    )
    looped = changed(("y = np.tanh(x @ w + b)", f"{rows} np.tanh(x[n] @ w + b)"))
    first_left_out = changed(("in range(len(x))", "in range(1, len(x))"), source=looped)
    without = graded(first_left_out, FORWARD)
    assert causes(without)["values"] == "one_index_wrong"
    monkeypatch.setattr("tests.checks.toy_layers.RIGHT", looped)
    result = graded(first_left_out, FORWARD)
    assert (
        causes(result)["values"] == "mistake.layer_forward.1_colon_is_added_where_the_loop_begins"
    )
    assert "only index 0 is wrong" not in result.message


def test_it_may_be_written_in_any_other_way(graded):
    other = """
import numpy as np


def layer_forward(x, w, b):
    rows = [[float(np.sin(row @ column + bias)) for column, bias in zip(w.T, b)] for row in x]
    return np.array(rows, dtype=x.dtype), None
"""
    assert causes(graded(other, FORWARD))["values"] == (
        "mistake.layer_forward.sin_is_used_for_tanh_where_y_is_computed"
    )


def test_each_gradient_has_a_cause_of_its_own(graded):
    """Two mistakes in one function, each in an output of its own."""
    result = graded(changed((RETURNED, "return da @ w.T, x.T @ y, w.sum(axis=0)")))
    assert causes(result) == {
        "dw": "mistake.layer_backward.y_is_used_for_da_in_what_is_returned",
        "db": "mistake.layer_backward.w_is_used_for_da_in_what_is_returned",
    }


def test_what_a_forward_keeps_wrongly_is_named_at_the_gradient(graded):
    result = graded(changed(("return y, (x, w, y)", "return y, (x, w, b)")))
    assert set(causes(result).values()) == {
        "mistake.layer_backward.b_is_used_for_y_in_what_is_returned"
    }


def test_only_what_is_the_same_in_every_ordinary_case_is_named(graded):
    body = "np.tanh(x @ w - b if len(x) != 2 else x @ w + b - 0.1)"
    assert causes(graded(changed(("np.tanh(x @ w + b)", body)), FORWARD))["values"] is None
    wrong = RETURNED.replace("da.sum(axis=0)", "(w if len(x) != 2 else da).sum(axis=0)")
    assert causes(graded(changed((RETURNED, wrong)))) == {"db": None}
    nearly = RETURNED.replace("da.sum(axis=0)", "1.001 * w.sum(axis=0)")
    assert causes(graded(changed((RETURNED, nearly)))) == {"db": None}


def test_a_mistake_that_the_assignment_names_comes_first(graded):
    result = graded(changed(("np.tanh(x @ w + b)", "np.tanh(x @ w)")), FORWARD)
    assert causes(result)["values"] == "mistake.layer_forward.the_bias_is_forgotten"


@pytest.mark.parametrize("source", [RIGHT, changed(("np.tanh(x @ w + b)", "-np.tanh(x @ w + b)"))])
def test_right_programs_and_named_causes_cost_no_time(source, graded, monkeypatch):
    def never(*_arguments):
        raise AssertionError

    monkeypatch.setattr(reference_mutants, "changed_references", never)
    monkeypatch.setattr(reference_mutants, "_changed", never)
    assert causes(graded(source, FORWARD)).get("values") in (None, "sign")
    assert causes(graded(changed((RETURNED, RETURNED.replace("da.sum", "-da.sum"))))) == {
        "db": "sign"
    }


def test_changes_that_never_end_are_left_out(graded, monkeypatch):
    """A reference with a loop: without the statement that ends it, it runs forever."""
    monkeypatch.setattr(reference_mutants, "CALL_S", 0.05)
    loop = "n = 3\n    while n > 1:\n        n = n - 1\n    "
    looped = changed(("y = np.tanh(x @ w + b)", f"{loop}y = np.tanh(n * (x @ w) + b)"))
    monkeypatch.setattr("tests.checks.toy_layers.RIGHT", looped)
    before = time.process_time()
    result = graded(changed(("np.tanh(x @ w + b)", "np.tanh(b - x @ w)")), FORWARD)
    assert result.outcome == "failed"
    result = graded(changed(("np.tanh(x @ w + b)", "np.tanh(x @ w - b)")), FORWARD)
    assert causes(result)["values"].endswith("minus_is_used_for_plus_where_y_is_computed")
    assert time.process_time() - before < 60


@pytest.mark.parametrize("what", ["time", "memory", "crash"])
def test_without_the_changes_the_points_are_the_same(what, graded, monkeypatch):
    def exceeded(*_arguments):
        raise bounded.BoundExceededError(what)

    monkeypatch.setattr(bounded.BoundedChild, "do", exceeded)
    monkeypatch.setattr(kept_changes, "kept", lambda _name: None)
    result = graded(changed(("np.tanh(x @ w + b)", "np.tanh(x @ w - b)")), FORWARD)
    assert causes(result)["values"] is None
    assert result.points == 0


def test_values_keep_their_names_and_shapes_on_their_way():
    rng = np.random.default_rng(0)
    first = {"x": rng.normal(size=(2, 3)), "y": np.array(1.5)}
    found = [
        ChangedReference(0, (first, {"x": np.zeros((0, 2))})),
        ChangedReference(7, ({"y": np.arange(4)}, {})),
    ]
    again = reference_mutants._unpacked(*reference_mutants._packed(found))
    assert [one.number for one in again] == [0, 7]
    for one, other in zip(found, again, strict=True):
        for case, same in zip(one.outputs, other.outputs, strict=True):
            assert list(case) == list(same)
            assert all(np.array_equal(case[n], same[n]) for n in case)
            assert all(case[n].shape == same[n].shape for n in case)
    assert reference_mutants._unpacked(*reference_mutants._packed([])) == ()


def test_what_changes_give_is_kept_from_one_process_to_the_next(graded, monkeypatch):
    source = changed(("np.tanh(x @ w + b)", "np.tanh(x @ w - b)"))
    first = causes(graded(source, FORWARD))

    def never(*_arguments):
        raise AssertionError

    monkeypatch.setattr(reference_mutants, "changed_references", never)
    assert causes(graded(source, FORWARD)) == first
    assert first["values"] is not None


@pytest.mark.parametrize("how", ["open to others", "spoiled", "cut", "another's cases"])
def test_what_cannot_be_trusted_is_computed_again(how, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    name = kept_changes.digest(["source"], "layers", "keys", SOLVED)
    packed = "[]", np.arange(3.0)
    kept_changes.keep(name, packed)
    layout, numbers = kept_changes.kept(name)
    assert (layout, numbers.tolist()) == ("[]", [0.0, 1.0, 2.0])
    (file,) = tmp_path.rglob("*.npz")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    if how == "open to others":
        file.chmod(0o644)
    elif how == "spoiled":
        file.write_bytes(b"no archive")
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:100])
    else:
        name = kept_changes.digest(["source"], "layers", "keys", SOLVED[:1])
    assert kept_changes.kept(name) is None


def test_whatever_counts_gives_another_name(monkeypatch):
    names = {
        kept_changes.digest(*about)
        for about in (
            (["source"], "layers", "keys", SOLVED),
            (["source", "more"], "layers", "keys", SOLVED),
            (["source"], "other", "keys", SOLVED),
            (["source"], "layers", "others", SOLVED),
            (["source"], "layers", "keys", SOLVED[:1]),
        )
    }
    monkeypatch.setattr(digests, "engine", lambda: "another")
    names.add(kept_changes.digest(["source"], "layers", "keys", SOLVED))
    assert len(names) == 6


def test_all_code_of_the_reference_counts(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("layers.py", "maths.py", "deep/constants.py", "words.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    sources = reference_mutants._sources(Assignment(tmp_path))
    assert sorted(sources) == ["# deep/constants.py\n", "# layers.py\n", "# maths.py\n"]


def test_only_some_files_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(kept_changes, "MAX_FILES", 3)
    for number in range(5):
        kept_changes.keep(f"{number:064}", ("[]", np.zeros(1)))
    assert len(list(tmp_path.rglob("*.npz"))) == 3


def test_changes_that_may_be_meant_are_found_at_first_sight():
    def outputs(values):
        return ({"y": np.array(values)},)

    far, near, other, shaped, infinite = (
        ChangedReference(number, outputs(values))
        for number, values in enumerate(
            ([1.0, 2.0], [3.0, 4.0], [3.0, 9.0], [3.0, 4.0, 5.0], [3.0, np.inf])
        )
    )
    known = reference_mutants.KnownChanges([far, near, other, shaped, infinite])
    limit = Tolerance(1e-6, 1e-9)
    assert known.near({"y": np.array([3.0, 4.0])}, limit) == [1, 4]
    assert known.near({"y": np.array([3.0, 4.0, 5.0])}, limit) == [3]
    assert known.near({"y": np.zeros(7)}, limit) == []
    assert known.near({"y": "a text"}, limit) == []
    assert known.near({"z": np.zeros(2)}, limit) == []
