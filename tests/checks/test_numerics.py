"""The comparison rule, seen to fail by a hair, and messages that say where and how much."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.expectations import Tolerance
from grader.checks.numerics import Comparison, as_array, compare
from grader.isolation.wire import Opaque, TensorData

DOUBLE = Tolerance(rtol=1.0e-6, atol=1.0e-9)
SINGLE = Tolerance(rtol=1.0e-3, atol=1.0e-5)
EXACT = Tolerance(rtol=0.0, atol=0.0)
MANY = settings(deadline=None, max_examples=200)
STACK = "(use np.stack(h) to join arrays)"
HAIR = 1.0e-5  # of the tolerance: what lies this much inside agrees, this much outside does not


def gradient(seed: int = 0, shape: tuple[int, ...] = (3, 4)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("tolerance", [DOUBLE, EXACT], ids=["double", "exact"])
def test_equal_arrays_agree(tolerance):
    expected = gradient()
    result = compare("dW", expected.copy(), expected, tolerance)
    assert result == Comparison("dW", max_abs=0.0, max_rel=0.0, share=0.0)
    assert result.ok


@pytest.mark.parametrize("share", [0.25, 0.999, 1.001, 50.0])
@pytest.mark.parametrize("tolerance", [DOUBLE, SINGLE], ids=["float64", "float32"])
def test_a_share_of_1_is_what_the_tolerance_allows(tolerance, share):
    expected = gradient()
    actual = expected.copy()
    actual[1, 2] += share * tolerance.bound(expected)[1, 2]
    result = compare("dW", actual, expected, tolerance)
    assert result.share == pytest.approx(share, rel=1.0e-6)
    assert result.ok == (share <= 1)


def test_values_without_a_difference_have_no_share():
    expected = gradient()
    infinite = np.where(expected == expected[0, 0], np.inf, expected)
    assert compare("dW", infinite, expected, DOUBLE).share is None
    assert compare("dW", expected[0], expected, DOUBLE).share is None
    assert compare("dW", expected + 1.0e308, expected, EXACT).share is None


@pytest.mark.parametrize("tolerance", [DOUBLE, Tolerance(1.0e-4, 1.0e-9)], ids=["1e-6", "1e-4"])
@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 2.001, 0.0, 1.0 + 2.0e-4])
def test_a_scaled_gradient_is_rejected(factor, tolerance):
    expected = gradient()
    result = compare("dW", expected * factor, expected, tolerance)
    assert result.reason == "mismatch"
    assert not result.ok
    assert f"{expected.size} of {expected.size} entries differ" in result.message


@pytest.mark.parametrize("factor", [1.002, 0.998, -1.0, 2.001])
def test_a_scaled_single_precision_gradient_is_rejected(factor):
    expected = gradient().astype(np.float32)
    assert compare("dW", expected * np.float32(factor), expected, SINGLE).reason == "mismatch"
    assert compare("dW", expected * np.float32(1.0005), expected, SINGLE).ok


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("entry", [(0, 0), (1, 2), (2, 3)])
@pytest.mark.parametrize("tolerance", [DOUBLE, SINGLE], ids=["float64", "float32"])
def test_one_entry_beyond_the_tolerance_is_found_and_one_within_it_is_not(tolerance, entry, sign):
    expected = gradient()
    allowed = tolerance.atol + tolerance.rtol * abs(expected[entry])
    beyond, within = expected.copy(), expected.copy()
    beyond[entry] += sign * allowed * (1 + HAIR)
    within[entry] += sign * allowed * (1 - HAIR)
    assert compare("dW", within, expected, tolerance).ok
    result = compare("dW", beyond, expected, tolerance)
    assert result.reason == "mismatch"
    assert f"1 of 12 entries differ; worst at {list(entry)}: got " in result.message


def test_the_tolerance_itself_is_allowed_and_the_next_number_is_not():
    limit = 2.0**-10  # exact in binary, so that the boundary is one number
    relative, absolute = Tolerance(limit, 0.0), Tolerance(0.0, limit)
    for tolerance, expected in ((relative, 1.0), (absolute, 0.0), (absolute, 1.0)):
        for sign in (1, -1):
            at = expected + sign * limit
            beyond = np.nextafter(at, sign * math.inf)
            assert compare("x", at, np.array(expected), tolerance).ok
            assert not compare("x", beyond, np.array(expected), tolerance).ok
            assert compare("x", np.array([at]), np.array([expected]), tolerance).ok
            assert not compare("x", np.array([beyond]), np.array([expected]), tolerance).ok


def test_the_relative_tolerance_is_that_of_the_expected_value():
    # |1 - 2| <= 0.5 * |2| but not <= 0.5 * |1|
    half = Tolerance(0.5, 0.0)
    assert compare("x", 1.0, np.array(2.0), half).ok
    assert not compare("x", 2.0, np.array(1.0), half).ok


def torch_agrees(actual: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> bool:
    try:
        torch.testing.assert_close(
            torch.from_numpy(actual),
            torch.from_numpy(expected),
            rtol=tolerance.rtol,
            atol=tolerance.atol,
            equal_nan=True,
        )
    except AssertionError:
        return False
    return True


SPECIAL = [0.0, -0.0, math.nan, math.inf, -math.inf, 1.0e-300, 5.0e-324, 1.0e300]


@MANY
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(), (1,), (5,), (2, 3), (0, 3)]),
    st.sampled_from([DOUBLE, SINGLE, EXACT, Tolerance(0.0, 1.0e-3), Tolerance(0.1, 0.0)]),
    st.sampled_from([0.0, 0.5, 0.999, 1.001, 3.0]),
    st.lists(st.tuples(st.sampled_from(SPECIAL), st.sampled_from(SPECIAL)), max_size=2),
)
def test_agrees_with_torch(seed, shape, tolerance, strain, specials):
    rng = np.random.default_rng(seed)
    expected = np.asarray(rng.normal(size=shape) * 10.0 ** rng.integers(-12, 12, size=shape))
    allowed = tolerance.atol + tolerance.rtol * np.abs(expected)
    actual = np.asarray(expected + strain * allowed * rng.uniform(-1, 1, size=shape))
    for one, other in specials:
        if expected.size:
            place = int(rng.integers(expected.size))
            actual.reshape(-1)[place], expected.reshape(-1)[place] = one, other
    assert compare("x", actual, expected, tolerance).ok == torch_agrees(actual, expected, tolerance)


@MANY
@given(
    st.lists(
        st.tuples(st.floats() | st.sampled_from(SPECIAL), st.floats() | st.sampled_from(SPECIAL)),
        min_size=1,
        max_size=6,
    )
)
def test_any_numbers_at_all_are_compared_without_a_warning(pairs):
    actual, expected = (np.array(values) for values in zip(*pairs, strict=True))
    result = compare("x", actual, expected, DOUBLE)
    assert result.ok == torch_agrees(actual, expected, DOUBLE)
    assert result.max_abs is not None
    assert not math.isnan(result.max_abs)
    assert result.max_rel is not None
    assert not math.isnan(result.max_rel)
    for a, e in pairs:
        compare("x", a, np.array(e), DOUBLE)


def test_the_worst_entry_is_the_one_furthest_beyond_its_own_tolerance():
    expected = np.array([10_000.0, 1.0, 2.0])
    actual = np.array([10_000.009, 1.0, 2.004])
    # The first differs most, but within what is allowed at its size.
    result = compare("y", actual, expected, DOUBLE)
    assert "y: 1 of 3 entries differ; worst at [2]: got 2.004, expected 2 " in result.message
    assert result.max_abs == pytest.approx(9.0e-3)
    assert result.max_rel == pytest.approx(2.0e-3)


def test_of_two_wrong_entries_the_one_with_the_smaller_difference_can_be_the_worse():
    # The first is 0.01 beyond what is allowed at its size, the second 0.015.
    expected = np.array([10_000.0, 1.0])
    result = compare("y", np.array([10_000.02, 1.015]), expected, DOUBLE)
    assert "2 of 2 entries differ; worst at [1]: got 1.015, expected 1 " in result.message


def test_a_message_has_the_numbers_with_the_digits_in_which_they_differ():
    expected = np.array([1.0, 2.0, 3.0])
    message = compare("y", expected + [0, 1.0e-5, 0], expected, DOUBLE).message
    assert "worst at [1]: got 2.00001, expected 2 " in message
    assert "(off by 1e-05, allowed 2e-06)" in message
    message = compare("y", 0.5, np.array(1.0), DOUBLE).message
    assert message == "y: got 0.5, expected 1 (off by 0.5, allowed 1e-06)"
    message = compare("y", math.nextafter(1, 2), np.array(1.0), EXACT).message
    assert "got 1.0000000000000002, expected 1 " in message


def test_a_message_names_an_index_that_can_be_typed():
    expected = np.zeros((2, 3, 4))
    actual = expected.copy()
    actual[1, 2, 3] = 1.0
    assert (
        "worst at [1, 2, 3]: got 1, expected 0 " in compare("h", actual, expected, DOUBLE).message
    )


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_not_finite_is_named_as_such(wrong):
    expected = gradient()
    actual = expected.copy()
    actual[1, 2] = wrong
    actual[2, 0] = wrong
    result = compare("dx", actual, expected, DOUBLE)
    assert result.reason == "not_finite"
    assert result.message == "dx: 2 of 12 entries are NaN or infinite; first at [1, 2]"
    assert result.max_abs == 0.0
    result = compare("loss", wrong, np.array(1.0), DOUBLE)
    assert result.reason == "not_finite"
    assert result.message == f"loss is {wrong}"


def test_an_expected_infinity_wants_the_same_infinity():
    expected = np.array([math.inf, -math.inf, 1.0, 2.0])
    assert compare("x", expected.copy(), expected, DOUBLE).ok
    for wrong in (-expected, np.array([1.0e308, -math.inf, 1.0, 2.0])):
        result = compare("x", wrong, expected, DOUBLE)
        assert result.reason == "mismatch"
    assert "worst at [0]: got 1e+308, expected inf" in result.message
    result = compare("x", np.array([math.inf, 5.0, 1.0, 2.0]), expected, DOUBLE)
    assert "1 of 4 entries differ; worst at [1]: got 5, expected -inf" in result.message


def test_an_expected_nan_wants_a_nan():
    expected = np.array([1.0, math.nan, 3.0])
    assert compare("x", expected.copy(), expected, DOUBLE).ok
    result = compare("x", np.array([1.0, 2.0, 3.0]), expected, DOUBLE)
    assert result.reason == "mismatch"
    assert "worst at [1]: got 2, expected nan" in result.message


def test_a_nan_beside_an_expected_infinity_is_a_mismatch_and_no_crash():
    assert not compare("x", np.array([math.nan, 1.0]), np.array([math.inf, 1.0]), DOUBLE).ok


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.full(4, 1.0e300), np.full(4, 1.0e-10)),
        (np.full(4, 1.7e308), np.full(4, -1.7e308)),
        (np.array([1.0, 2.0, 3.0]), np.array([5.0e-324, 2.0, 3.0])),
        (np.array([1.0, 2.0, 3.0]) * 1.0e-310, np.array([1.0, 2.0, 3.0])),
        (np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]) * 1.0e-310),
        (np.array([1.0, 2.0, 3.0]) * 1.0e300, np.array([3.0, 1.0, 2.0]) * -1.0e300),
        (np.full((3, 4), 1.0e308), np.ones((3, 4))),
    ],
    ids=["huge", "opposite", "denormal expected", "denormal actual", "all denormal",
         "sums overflow", "mean overflows"],
)  # fmt: skip
def test_extreme_sizes_give_a_message_and_no_warning(actual, expected):
    result = compare("x", actual, expected, DOUBLE)
    assert result.reason == "mismatch"
    assert "entries differ; worst at" in result.message


WRONG_SHAPES = [
    ((4, 3), (3, 4), "it is transposed"),
    ((2, 4, 3), (2, 3, 4), "the axes are in another order: axes 1 and 2 are swapped"),
    ((4,), (1, 4), "an axis of size 1 was dropped"),
    ((4,), (4, 1), "an axis of size 1 was dropped"),
    ((4, 1), (4,), "there is an extra axis of size 1"),
    ((1,), (), "return a number instead of an array with one entry"),
    ((1, 1), (), "return a number instead of an array with one entry"),
    ((4,), (3, 4), "an axis was summed or indexed away"),
    ((), (3, 4), "an axis was summed or indexed away"),
    ((3, 4), (4,), "is a sum over an axis missing?"),
    ((3, 4), (), "is a sum over an axis missing?"),
    ((5, 7), (3, 4), None),
    ((0,), (3,), None),
]


@pytest.mark.parametrize(("got", "wanted", "cause"), WRONG_SHAPES)
def test_a_wrong_shape_is_explained(got, wanted, cause):
    result = compare("db", np.zeros(got), np.zeros(wanted), DOUBLE)
    assert result.reason == "wrong_shape"
    assert result.message == f"db: shape {got}, expected {wanted}"
    found = result.cause.text if result.cause is not None else "none"
    assert found.startswith(cause or "none")
    assert result.max_abs is None
    assert result.text == (f"{result.message}; {found}" if cause else result.message)


@pytest.mark.parametrize(
    "value",
    [2.0, 2, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), np.array(2),
     TensorData(np.array(2.0)), TensorData(np.array(2, dtype=np.float32)), np.float16(2)],
    ids=repr,
)  # fmt: skip
def test_every_kind_of_number_is_taken_for_a_number(value):
    assert compare("loss", value, np.array(2.0), DOUBLE).ok
    assert compare("loss", value, np.array(2.5), DOUBLE).reason == "mismatch"
    assert compare("loss", value, np.array([2.0]), DOUBLE).reason == "wrong_shape"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8"])
def test_every_real_dtype_is_compared_by_value(dtype):
    expected = np.arange(6.0).reshape(2, 3)
    for value in (expected.astype(dtype), TensorData(expected.astype(dtype))):
        assert compare("h", value, expected, DOUBLE).ok
        assert compare("h", value, expected + 1, DOUBLE).reason == "mismatch"


@pytest.mark.parametrize(
    ("actual", "exact", "ok"),
    [("float64", True, True), ("float32", True, False), ("float32", False, True),
     ("int64", True, False), ("int64", False, True)],
)  # fmt: skip
def test_exact_dtype_decides_whether_another_dtype_is_accepted(actual, exact, ok):
    expected = np.arange(3.0)
    result = compare("h", expected.astype(actual), expected, DOUBLE, exact_dtype=exact)
    assert result.ok is ok
    if not ok:
        assert result.reason == "wrong_dtype"
        assert result.message == f"h: dtype {actual}, expected float64"


@pytest.mark.parametrize(
    ("value", "reason", "message"),
    [
        (None, "not_implemented", "h is None, expected an array of shape (2, 3)"),
        ([1, 2], "wrong_shape",
         f"h is a list of 2, expected an array of shape (2, 3) {STACK}"),
        ((1, 2, 3), "wrong_shape", "h is a tuple of 3, expected an array of shape (2, 3)"),
        ("text", "wrong_dtype", "h is a text ('text'), expected an array of shape (2, 3)"),
        ({}, "wrong_dtype", "h is a value of type dict, expected an array of shape (2, 3)"),
        (True, "wrong_dtype", "h is a value of type bool, expected an array of shape (2, 3)"),
        (Opaque(3, "m.Cell"), "wrong_dtype", "h is a value of type m.Cell, expected an array"),
        (1.0, "wrong_shape", "h: shape (), expected (2, 3)"),
        (np.ones((2, 3), bool), "wrong_dtype", "h: dtype bool, expected float64"),
        (np.ones((2, 3), complex), "wrong_dtype", "h: dtype complex128, expected float64"),
        (np.full((2, 3), "a"), "wrong_dtype", "h: dtype <U1, expected float64"),
        (np.full((2, 3), None), "wrong_dtype", "h: dtype object, expected float64"),
    ],
    ids=lambda value: None if isinstance(value, np.ndarray) else repr(value)[:20],
)  # fmt: skip
def test_what_is_no_array_of_real_numbers_is_named(value, reason, message):
    result = compare("h", value, np.ones((2, 3)), DOUBLE)
    assert result.reason == reason
    assert result.message.startswith(message)
    assert result.max_abs is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "loss is None, expected a number"),
        ([1.0], "loss is a list of 1, expected a number"),
        ("1", "loss is a text ('1'), expected a number"),
        (np.bool_(True), "loss: dtype bool, expected float64"),
        (np.complex128(1), "loss: dtype complex128, expected float64"),
        (2**70, "loss: dtype object, expected float64"),
    ],
    ids=repr,
)
def test_what_is_no_real_number_is_named(value, message):
    result = compare("loss", value, np.array(1.0), DOUBLE)
    assert not result.ok
    assert result.message == message


def test_one_dimensional_lists_need_no_stacking_advice():
    assert "stack" not in compare("h", [1, 2], np.ones(2), DOUBLE).message


def test_empty_arrays_agree_if_their_shapes_do():
    assert compare("h", np.zeros((0, 3)), np.zeros((0, 3)), EXACT) == Comparison(
        "h", max_abs=0.0, max_rel=0.0, share=0.0
    )
    assert compare("h", np.zeros((3, 0)), np.zeros((0, 3)), EXACT).reason == "wrong_shape"
    assert compare("h", np.zeros((0, 3), complex), np.zeros((0, 3)), EXACT).reason == "wrong_dtype"


def test_whole_numbers_do_not_wrap_around():
    result = compare("y", np.array([255], np.uint8), np.array([0], np.uint8), DOUBLE)
    assert "got 255, expected 0" in result.message
    assert compare("y", np.array([1], np.uint8), np.array([2], np.uint8), DOUBLE).max_abs == 1.0


@pytest.mark.parametrize("value", [None, "x", [1.0], (1.0,), {"a": 1}, True, 1j, Opaque(0, "x")])
def test_as_array_leaves_other_values_alone(value):
    assert as_array(value) is None


def test_as_array_is_not_fooled_by_subclasses():
    class Array(np.ndarray):
        pass

    class Number(float):
        pass

    assert as_array(np.zeros(2).view(Array)) is None
    assert as_array(Number(2)) is None
    array = np.zeros(2)
    assert as_array(array) is array


@MANY
@given(st.integers(0, 2**32 - 1), st.sampled_from([(), (4,), (3, 4), (2, 3, 2)]))
def test_a_mismatch_message_tells_the_truth(seed, shape):
    rng = np.random.default_rng(seed)
    expected = np.asarray(rng.normal(size=shape))
    wrong = rng.random(shape) < 0.4
    actual = np.where(
        wrong, expected + rng.choice([-1, 1], size=shape) * rng.uniform(0.01, 2), expected
    )
    result = compare("x", actual, expected, DOUBLE)
    count = int(np.sum(wrong))
    assert result.ok is (count == 0)
    if count == 0:
        return
    numbers = re.search(r"got (\S+), expected (\S+) ", result.message)
    assert numbers is not None
    worst: Any = ()
    if shape:
        assert f"x: {count} of {expected.size} entries differ" in result.message
        index = re.search(r"worst at \[([^]]*)\]", result.message)
        assert index is not None
        worst = tuple(int(number) for number in index[1].split(","))
    assert wrong[worst]
    assert float(numbers[1]) == pytest.approx(float(actual[worst]), rel=1e-2)
    assert float(numbers[2]) == pytest.approx(float(expected[worst]), rel=1e-2)
    assert result.max_abs == np.abs(actual - expected).max()
