"""One change that puts a function right, and functions that have none."""

import contextlib
import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.isolation.worker import repair
from grader.isolation.worker.mutants import mutants_of
from grader.isolation.worker.repair import Wanted

SOURCE = '''
import numpy as np

HELD = []


def forward(x, w, b):
    """y = tanh(x w + b)."""
    a = x @ w + b
    y = np.tanh(a)
    return y, (x, w, y)


HELD.append(forward)
'''
RNG = np.random.default_rng(2)
CASES = [
    [RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4)), RNG.normal(size=4)],
    [RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2)), RNG.normal(size=2)],
]
WANTED = [Wanted(case, [np.tanh(case[0] @ case[1] + case[2]), None]) for case in CASES]


@pytest.fixture
def loaded(tmp_path):
    """Return the module with parts of its source replaced."""

    def load(*replacements):
        source = SOURCE
        for old, new in replacements:
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / "layers.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("layers", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("x @ w + b", "x @ w - b", 9),
        ("x @ w + b", "w @ x + b", 9),
        ("np.tanh(a)", "np.tanh(x)", 10),
        ("return y, (x, w, y)", "return a, (x, w, y)", 11),
        ("return y, (x, w, y)", "return y.T, (x, w, y)", 11),
        ("y = np.tanh(a)", "y = np.tanh(a)[::-1]", 10),
        ("np.tanh(a)", "np.tanh(no_such_name)", 10),
    ],
)
def test_a_mistake_in_one_place_is_put_right(old, new, line, loaded):
    module = loaded((old, new))
    held, before = module.HELD[0], module.forward
    found = repair.repair(module, "forward", WANTED)
    # Some mistakes of names have no change of one place that the generator makes.
    assert (found and found.line) == (None if "no_such_name" in new else line)
    if found is not None:
        for wanted in WANTED:
            np.testing.assert_allclose(held(*wanted.arguments)[0], wanted.outputs[0])
        assert module.forward is before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x @ w + b", "x @ w - b"),
        ("x @ w + b", "w @ x + b"),
        ("x @ w + b", "x @ w + b * 2.0 - b * 1.0 + b * 1"),
        ("x @ w + b", "np.maximum(x @ w, x @ w) + b if b is None else x @ w"),
        ("np.tanh(a)", "np.tanh(-a)"),
        ("np.tanh(a)", "np.tanh(a, dtype=np.float32)"),
        ("return y, (x, w, y)", "return (lambda: a)(), (x, w, y)"),
    ],
)
def test_the_changes_are_those_mutants_that_give_what_is_wanted(old, new, loaded):
    module = loaded((old, new))
    source = (Path(module.__file__)).read_text()
    lines = []
    for mutant in mutants_of(source, ["forward"]):
        space = {}
        with contextlib.suppress(Exception):
            exec(mutant.source, space)
            if all(right(space["forward"], one) for one in WANTED):
                lines.append(mutant.line)
    assert lines
    assert sorted(all_repairs(loaded, (old, new))) == lines


def all_repairs(loaded, *replacements):
    """Return the lines of all changes that put the function right, each looked for in turn."""
    lines, passed_over = [], []
    while found := repair.repair(loaded(*replacements), "forward", WANTED, passed_over):
        assert found.number > max(passed_over, default=-1)
        lines.append(found.line)
        passed_over.append(found.number)
    return lines


def right(function, wanted):
    returned, _cache = function(*[value.copy() for value in wanted.arguments])
    expected = wanted.outputs[0]
    close = np.allclose(returned, expected, repair.RTOL, repair.ATOL)
    return np.shape(returned) == np.shape(expected) and close


VALUES = st.one_of(st.floats(), st.sampled_from([0.0, 1e-9, 1.0, 1.0 + 1e-6, 1e308, -1e308]))


@settings(deadline=None, max_examples=300)
@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=2, max_side=3), elements=VALUES),
    st.data(),
)
def test_values_are_wanted_by_the_rule_of_numpy(wanted, data):
    kinds = [np.float64, np.float32, np.int64, np.bool_, np.complex128, np.object_]
    with np.errstate(all="ignore"):
        moved = wanted * (1 + data.draw(st.sampled_from([0, 1e-6, -1e-6, 2e-6, 1.0])))
        value = np.asarray(moved).astype(data.draw(st.sampled_from(kinds)), copy=False)
        value = data.draw(st.sampled_from([value, value.tolist(), value[()], value.reshape(-1)]))
        try:
            same = np.shape(value) == wanted.shape and np.allclose(
                value, wanted, repair.RTOL, repair.ATOL
            )
        except TypeError:  # of objects
            same = False
        one = Wanted([], [wanted])
        assert repair.WantedValues(one).passes(lambda: value, lambda call: call()) is bool(same)


def test_other_changes_are_passed_over(loaded):
    change = ("x @ w + b", "x @ w - b")
    first = repair.repair(loaded(change), "forward", WANTED)
    second = repair.repair(loaded(change), "forward", WANTED, [first.number])
    assert first.line == 9
    assert second is None or second.number > first.number
    module = loaded(change)
    code = module.forward.__code__
    assert repair.repair(module, "forward", WANTED, range(1000)) is None
    assert module.forward.__code__ is code


def test_a_program_that_two_changes_make_is_found_once(loaded, monkeypatch):
    change = ("x @ w + b", "x @ w - b")
    usual = list(all_repairs(loaded, change))
    changed = repair.changed
    monkeypatch.setattr(
        repair, "changed", lambda *given: (one for each in changed(*given) for one in (each, each))
    )
    assert all_repairs(loaded, change) == usual


def test_a_function_without_such_a_change_stays_as_it_is(loaded):
    module = loaded(("x @ w + b", "x @ w - 3 * b * b"))
    code = module.forward.__code__
    assert repair.repair(module, "forward", WANTED) is None
    assert module.forward.__code__ is code


@pytest.mark.parametrize("name", ["forward", "absent"])
def test_functions_without_a_source_are_left_alone(name, loaded):
    module = loaded()
    module.forward = len
    module.absent = lambda x, w, b: (x, None)
    assert repair.repair(module, name, WANTED) is None


def test_changed_functions_that_never_end_are_ended(loaded, monkeypatch, capsys):
    monkeypatch.setattr(repair, "CALL_S", 0.02)
    module = loaded(("a = x @ w + b", "print('on and on')\n    while x is not w:\n        pass"))
    started = time.process_time()
    assert repair.repair(module, "forward", WANTED) is None
    assert time.process_time() - started < repair.SEARCH_S + 1
    assert capsys.readouterr().out == ""


def test_arguments_are_copied_for_every_try(loaded):
    module = loaded(("a = x @ w + b", "x *= 2\n    a = x @ w + b"))
    before = [value.copy() for case in CASES for value in case]
    repair.repair(module, "forward", WANTED)
    for value, copy in zip([value for case in CASES for value in case], before, strict=True):
        np.testing.assert_array_equal(value, copy)
