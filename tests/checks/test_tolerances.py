"""Tolerances scale with the array where entries cancel, and still see a factor of 1 + 1e-5."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.expectations import Tolerance
from grader.checks.numerics import compare

SEEDS = 1000
ALLOWED = Tolerance(1.0e-6, 1.0e-9, 1.0e-6)


def gram(seed, dtype=np.float64):
    """A Gram matrix whose small entries are sums of large numbers that cancel."""
    features = np.random.default_rng(seed).normal(size=(6, 40))
    return (features.astype(dtype) @ features.T.astype(dtype)).astype(np.float64)


def test_one_buffer_in_single_precision_is_right_for_every_seed():
    wrong = [
        seed
        for seed in range(SEEDS)
        if not compare("gram", gram(seed).astype(np.float32), gram(seed), ALLOWED).ok
    ]
    assert wrong == []


def test_without_the_term_some_seeds_would_be_wrong():
    strict = Tolerance(1.0e-8, 1.0e-9)
    assert any(
        not compare("gram", gram(seed, np.float32), gram(seed), strict).ok for seed in range(20)
    )


@pytest.mark.parametrize("factor", [1 + 1e-5, 1 - 1e-5, 1.001, 0.999, -1])
def test_a_factor_is_wrong_for_every_seed(factor):
    right = [
        seed
        for seed in range(SEEDS)
        if compare("gram", factor * gram(seed), gram(seed), ALLOWED).ok
    ]
    assert right == []


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e6, 1e12])
def test_the_size_of_the_array_makes_no_difference(size):
    allowed = Tolerance(1.0e-6, 0.0, 1.0e-6)
    expected = size * np.array([1.0, -1.0, 1e-9, 0.0])
    rounding = size * np.array([0.0, 0.0, 5e-7, 5e-7])
    assert compare("x", expected + rounding, expected, allowed).ok
    assert not compare("x", expected + 10 * rounding, expected, allowed).ok


def test_what_is_not_finite_has_no_part_in_the_scale():
    expected = np.array([1.0, np.inf, np.nan, 1e-9])
    assert ALLOWED.allows(expected, expected).all()
    assert not ALLOWED.allows(expected + np.array([0, 0, 0, 1e-3]), expected).all()


def test_without_numbers_there_is_no_scale():
    assert ALLOWED.bound(np.zeros((0, 3))).shape == (0, 3)
    assert compare("x", np.zeros((0, 3)), np.zeros((0, 3)), ALLOWED).ok


ANY = st.one_of(
    st.floats(width=64), st.sampled_from([0.0, -0.0, 1e308, -1e308, np.inf, -np.inf, np.nan])
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(ANY, ANY | st.none(), st.floats(-3, 3)), max_size=6), st.booleans())
def test_the_rule_holds_for_any_numbers_at_once_or_one_by_one(numbers, exact):
    tolerance = Tolerance(0.0, 0.0) if exact else ALLOWED
    expected = np.array([right for right, _other, _steps in numbers])
    sizes = np.abs(expected[np.isfinite(expected)])
    largest = float(sizes.max(initial=0.0))
    actual = np.empty_like(expected)
    agreed = []
    with np.errstate(all="ignore"):
        for index, (right, other, steps) in enumerate(numbers):
            allowed = tolerance.atol + max(
                tolerance.rtol * abs(right), tolerance.rtol_of_largest * largest
            )
            mine = right + steps * allowed if other is None else other
            actual[index] = mine
            if np.isfinite(right):
                agreed.append(bool(np.abs(np.float64(mine) - np.float64(right)) <= allowed))
            else:
                agreed.append(mine == right or (np.isnan(mine) and np.isnan(right)))
    assert tolerance.allows(actual, expected).tolist() == agreed
    assert compare("x", actual, expected, tolerance).ok is all(agreed)
