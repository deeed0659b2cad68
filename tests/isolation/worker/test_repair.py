"""One change that puts a function right, and functions that have none."""

import importlib.util
import time

import numpy as np
import pytest

from grader.isolation.worker import repair
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
    found = repair.repair(module, "forward", WANTED, 0)
    # Some mistakes of names have no change of one place that the generator makes.
    assert found == (None if "no_such_name" in new else line)
    if found is not None:
        for wanted in WANTED:
            np.testing.assert_allclose(held(*wanted.arguments)[0], wanted.outputs[0])
        assert module.forward is before


def test_other_changes_are_passed_over(loaded):
    lines = [
        repair.repair(loaded(("x @ w + b", "x @ w - b")), "forward", WANTED, skip)
        for skip in range(40)
    ]
    assert lines[0] == 9
    assert None in lines, "there is an end"
    assert lines[lines.index(None) :] == [None] * (40 - lines.index(None))


def test_a_function_without_such_a_change_stays_as_it_is(loaded):
    module = loaded(("x @ w + b", "x @ w - 3 * b * b"))
    code = module.forward.__code__
    assert repair.repair(module, "forward", WANTED, 0) is None
    assert module.forward.__code__ is code


@pytest.mark.parametrize("name", ["forward", "absent"])
def test_functions_without_a_source_are_left_alone(name, loaded):
    module = loaded()
    module.forward = len
    module.absent = lambda x, w, b: (x, None)
    assert repair.repair(module, name, WANTED, 0) is None


def test_changed_functions_that_never_end_are_ended(loaded, monkeypatch, capsys):
    monkeypatch.setattr(repair, "CALL_S", 0.02)
    module = loaded(("a = x @ w + b", "print('on and on')\n    while x is not w:\n        pass"))
    started = time.process_time()
    assert repair.repair(module, "forward", WANTED, 0) is None
    assert time.process_time() - started < repair.SEARCH_S + 1
    assert capsys.readouterr().out == ""


def test_arguments_are_copied_for_every_try(loaded):
    module = loaded(("a = x @ w + b", "x *= 2\n    a = x @ w + b"))
    before = [value.copy() for case in CASES for value in case]
    repair.repair(module, "forward", WANTED, 0)
    for value, copy in zip([value for case in CASES for value in case], before, strict=True):
        np.testing.assert_array_equal(value, copy)
