"""What follows from expected values is computed once, and changes no comparison."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.checks import expectations
from grader.checks.expectations import Tolerance
from grader.checks.numerics import compare

LIMIT = Tolerance(1.0e-6, 1.0e-9)
NUMBERS = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.0, 1e-310, 1e308, np.inf, np.nan]))
ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32]), hnp.array_shapes(max_dims=2, max_side=3),
    elements=st.floats(-100, 100, width=32),
)  # fmt: skip


def frozen(values, dtype=np.float64):
    array = np.array(values, dtype)
    array.setflags(write=False)
    return array


def test_one_array_has_one_expectation_for_each_tolerance():
    array, other = frozen([1.0, 2.0]), Tolerance(1.0e-3, 1.0e-9)
    first = expectations.of(array, LIMIT)
    assert expectations.of(array, Tolerance(1.0e-6, 1.0e-9)) is first
    assert expectations.of(array, other).tolerance == other
    assert expectations.of(array, LIMIT) is first
    assert expectations.of(frozen([1.0, 2.0]), LIMIT) is not first


def test_what_can_still_change_is_looked_at_again():
    array = np.array([1.0, 2.0])
    assert compare("x", np.array([1.0, 2.0]), array, LIMIT).ok
    array[0] = 3.0
    assert not compare("x", np.array([1.0, 2.0]), array, LIMIT).ok


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(expectations, "MOST_KEPT", 3)
    arrays = [frozen([float(number)]) for number in range(8)]
    for array in arrays:
        expectations.of(array, LIMIT)
    kept = expectations._kept
    assert len(kept) == 3
    assert [one.given is arrays[-1] for one in kept[id(arrays[-1])]] == [True]
    large = frozen(np.zeros(expectations.MOST_ENTRIES + 1))
    assert expectations.of(large, LIMIT) is not expectations.of(large, LIMIT)


@settings(deadline=None, max_examples=300)
@given(ARRAYS, st.data())
def test_values_are_right_if_every_element_is_within_its_bound(expected, data):
    expected.setflags(write=False)
    limit = data.draw(st.sampled_from([LIMIT, Tolerance(1e-3, 1e-5, 1e-4), Tolerance(0.0, 0.0)]))
    with np.errstate(all="ignore"):
        wanted = expected.astype(np.float64)
        bound = limit.bound(wanted)
        factor = data.draw(st.sampled_from([0.0, 0.5, 1 - 1e-9, 1 - 1e-12, 1.0, 1 + 1e-9, 3.0]))
        actual = wanted + factor * bound * data.draw(st.sampled_from([1, -1]))
        if data.draw(st.booleans()):
            actual.flat[-1] = data.draw(NUMBERS)
        good = (actual == wanted) | (np.abs(actual - wanted) <= bound)
    for _again in range(2):
        assert compare("x", actual, expected, limit).ok is bool(good.all())


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_values_that_are_not_finite_agree_with_their_equals_only(value):
    expected = frozen([1.0, value])
    assert compare("x", np.array([1.0, value]), expected, LIMIT).ok
    assert not compare("x", np.array([1.0, 1.0]), expected, LIMIT).ok
    assert not compare("x", np.array([1.1, value]), expected, LIMIT).ok
