"""Each finder of likely causes: it fires on its mistake, and on nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import causes
from grader.checks.numerics import Tolerance, compare

TOLERANCE = Tolerance(rtol=1.0e-6, atol=1.0e-9)
MANY = settings(deadline=None, max_examples=150)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.sampled_from([(3,), (8,), (2, 3), (3, 4), (4, 4), (5, 12), (2, 3, 4), (1, 6), (6, 1)])


def cause(actual: Any, expected: Any) -> str | None:
    """Return the cause that a comparison finds."""
    return compare("x", np.asarray(actual), np.asarray(expected), TOLERANCE).cause


def normal(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


E34 = normal(1, (3, 4))
E44 = normal(2, (4, 4))
E38 = normal(3, (3, 8))
E234 = normal(4, (2, 3, 4))
E5 = normal(5, (5,))
GATES = normal(6, (3, 12))


def blocks(array: np.ndarray, order: list[int]) -> np.ndarray:
    parts = np.split(array, len(order), -1)
    return np.concatenate([parts[index] for index in order], -1)


def with_zeros(array: np.ndarray) -> np.ndarray:
    result = array.copy()
    result[0] = 0.0
    return result


FIRES = {
    "zeros": (np.zeros((3, 4)), E34, "every entry is 0: was it filled in at all?"),
    "minus": (-E34, E34, "every entry has the wrong sign"),
    "minus with zeros": (-with_zeros(E34), with_zeros(E34), "every entry has the wrong sign"),
    "half": (E34 / 2, E34, "every ratio is 0.5: is a factor of 2 missing?"),
    "a third": (E34 / 3, E34, "every ratio is 0.3333: is a factor of 3 missing?"),
    "double": (E34 * 2, E34, "every ratio is 2: is a factor of 2 too many?"),
    "2.001": (E34 * 2.001, E34, "every ratio is 2.001: is a factor of 2.001 too many?"),
    "batch": (E34 * 32, E34, "every ratio is 32: is a factor of 32 too many?"),
    "minus double": (E34 * -2, E34, "every ratio is -2: is a factor of -2 too many?"),
    "minus half": (E34 / -2, E34, "every ratio is -0.5: is a factor of -2 missing?"),
    "half in 1 d": (E5 / 2, E5, "every ratio is 0.5: is a factor of 2 missing?"),
    "epsilon": (E34 + 1.0e-5, E34, "it is nearly right: is a small constant added"),
    "half precision": (E34.astype(np.float16), E34, "it is float16 where float64 is expected"),
    "1.0005": (E34 * 1.0005, E34, "it is nearly right: is a small constant added"),
    "epsilon in a number": (np.array(1.00001), np.array(1.0), "it is nearly right"),
    "epsilon in two": (np.array([1.00001, 2.0]), np.array([1.0, 2.0]), "it is nearly right"),
    "offset": (E34 + 0.5, E34, "every entry is off by the same 0.5"),
    "negative offset": (E34 - 7.0, E34, "every entry is off by the same -7"),
    "offset of zeros": (np.full((3, 4), 0.25), np.zeros((3, 4)), "every entry is off by the same"),
    "small offset": (E34 * 1e-8 + 1e-7, E34 * 1e-8, "every entry is off by the same 1e-07"),
    "transposed": (E44.T, E44, "it is transposed"),
    "time reversed": (E234[:, ::-1], E234, "it is reversed along axis 1"),
    "reversed vector": (E5[::-1], E5, "it is reversed along axis 0"),
    "one step late": (np.roll(E34, 1, 0), E34, "it is shifted by one along axis 0"),
    "one step early": (np.roll(E34, -1, 1), E34, "it is shifted by one along axis 1"),
    "shifted vector": (np.array([9, *E5[:-1]]), E5, "it is shifted by one along axis 0"),
    "gates": (
        blocks(GATES, [1, 0, 3, 2]),
        GATES,
        "its 4 blocks along the last axis are those of [1, 0, 3, 2]: gate order?",
    ),
    "gates of a vector": (
        blocks(GATES[0], [0, 1, 3, 2]),
        GATES[0],
        "its 4 blocks along the last axis are those of [0, 1, 3, 2]: gate order?",
    ),
    "three gates": (
        blocks(GATES[:, :9], [2, 0, 1]),
        GATES[:, :9],
        "its 3 blocks along the last axis are those of [2, 0, 1]: gate order?",
    ),
    "halves": (
        blocks(GATES[:, :6], [1, 0]),
        GATES[:, :6],
        "its 2 blocks along the last axis are those of [1, 0]: gate order?",
    ),
    "tanh": (E34, np.tanh(E34), "tanh of your values is what is expected: is it missing?"),
    "sigmoid": (E34, 1 / (1 + np.exp(-E34)), "the sigmoid of your values is what is expected"),
    "exp": (E34, np.exp(E34), "exp of your values is what is expected: is it missing?"),
    "square": (E34, E34**2, "the square of your values is what is expected"),
    "1 - x": (E34, 1 - E34, "1 - (...) of your values is what is expected"),
    "only the last step": (
        np.concatenate([normal(7, (2, 4)), E34[2:]]),
        E34,
        "along axis 0 only index 2 is right",
    ),
    "all but one": (
        np.concatenate([E38[:, :3], normal(8, (3, 1)), E38[:, 4:]], 1),
        E38,
        "along axis 1 only index 3 is wrong",
    ),
    "the first three": (
        np.concatenate([E38[:, :3], normal(9, (3, 5))], 1),
        E38,
        "along axis 1 only the indices 0 to 2 are right",
    ),
}


@pytest.mark.parametrize(("actual", "expected", "message"), FIRES.values(), ids=FIRES)
def test_a_mistake_is_recognised(actual, expected, message):
    found = cause(actual, expected)
    assert found is not None
    assert found.startswith(message)


@pytest.mark.parametrize("expected", [E34, E5, E44, E234, GATES, np.zeros((3, 4)), np.ones(6)])
def test_right_values_have_no_cause(expected):
    assert cause(expected.copy(), expected) is None


@MANY
@given(SEEDS, SHAPES, st.sampled_from([1.0, 1.0e-4, 1.0e-8, 1.0e-12, 1.0e6, 1.0e200]))
def test_unrelated_values_have_no_cause_at_any_scale(seed, shape, scale):
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=shape) * scale
    actual = rng.normal(size=shape) * scale
    tolerance = Tolerance(rtol=1.0e-6, atol=0.0)
    assert compare("x", actual, expected, tolerance).cause is None


@MANY
@given(SEEDS, st.sampled_from([(3, 4), (4, 4), (5, 6)]))
def test_a_single_wrong_entry_leads_to_no_other_cause_than_its_place(seed, shape):
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=shape)
    row, column = (int(rng.integers(size)) for size in shape)
    actual = expected.copy()
    actual[row, column] += 1.0
    assert cause(actual, expected) == f"along axis 0 only index {row} is wrong"


@pytest.mark.parametrize("fill", [0.0, 1.0, -3.5])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_wrong_entry_among_equal_ones_is_not_taken_for_a_shift_or_a_reversal(fill, place):
    # Equal entries agree with their neighbours, so that a shift seems to explain the last one.
    expected = np.full(5, fill)
    actual = expected.copy()
    actual[place] += 2.0
    assert cause(actual, expected) == f"along axis 0 only index {place} is wrong"


def test_a_factor_must_hold_where_the_right_value_is_zero_too():
    expected = np.array([1.0, 2.0, 3.0, 4.0, 0.0])
    actual = np.array([2.0, 4.0, 6.0, 8.0, 1.0])
    found = cause(actual, expected)
    assert found is None or "ratio" not in found


@MANY
@given(SEEDS, SHAPES, st.sampled_from([2.0, 0.5, -1.0, 3.0, 1 / 7, 10.0, -0.25]))
def test_one_entry_that_is_off_spoils_a_factor(seed, shape, factor):
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=shape)
    actual = expected * factor
    spoiled = int(rng.integers(actual.size))
    actual.reshape(-1)[spoiled] *= 1.01
    found = cause(actual, expected)
    assert found is None or ("ratio" not in found and "sign" not in found)


@MANY
@given(SEEDS, SHAPES, st.floats(-1.0e3, 1.0e3).filter(lambda factor: abs(factor - 1) > 0.01))
def test_any_factor_is_named(seed, shape, factor):
    expected = normal(seed, shape)
    if abs(factor) < 1.0e-6:
        return
    found = cause(expected * factor, expected)
    if abs(factor + 1) < 1.0e-6:
        assert found == "every entry has the wrong sign"
    else:
        assert found is not None
        assert found.startswith(f"every ratio is {factor:.4g}: is a factor of ")
        assert found.endswith("missing?" if abs(factor) < 1 else "too many?")


@pytest.mark.parametrize("size", [1, 2])
def test_two_numbers_agree_with_anything_by_chance_and_get_no_cause(size):
    expected = np.array([1.0, 2.0])[:size]
    for actual in (expected * 2, -expected, expected + 1, expected[::-1], np.zeros(size)):
        if not np.array_equal(actual, expected):
            assert cause(actual, expected) is None
    assert cause(np.array(2.0), np.array(1.0)) is None


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_a_rough_approximation_is_not_called_nearly_right(noise):
    assert cause(E34 * (1 + noise * normal(0, (3, 4))), E34) is None


def test_two_entries_in_a_row_are_no_shift():
    expected = normal(0, (3,))
    assert cause(np.array([9.0, *expected[:2]]), expected) is None


def test_a_gate_that_is_there_twice_is_no_order_of_gates():
    twice = blocks(GATES, [1, 1, 2, 3])
    assert cause(twice, GATES) == "along axis 1 only the indices 3 to 11 are right"


def test_right_indices_without_an_order_are_not_listed():
    actual = normal(0, (3, 5))
    expected = normal(1, (3, 5))
    actual[:, [0, 2]] = expected[:, [0, 2]]
    assert cause(actual, expected) is None


def test_one_right_half_of_two_is_not_called_the_only_one():
    actual = normal(0, (2, 4))
    expected = normal(1, (2, 4))
    actual[0] = expected[0]
    assert cause(actual, expected) is None


def test_equal_blocks_are_not_told_apart():
    expected = np.tile(normal(0, (3, 2)), (1, 4))
    found = cause(expected + normal(1, (3, 8)), expected)
    assert found is None


@pytest.mark.parametrize(
    "actual",
    [E34 * 1.0e-310, E34 * 1.0e-312, E34 * 1.0e300, np.full((3, 4), 1.7e308), E34 * 5.0e-324],
    ids=["1e-310", "1e-312", "1e300", "largest", "smallest"],
)
def test_extreme_values_break_no_finder(actual):
    found = cause(actual, E34)
    assert found is None or "inf" not in found


def test_nothing_is_said_about_values_that_are_not_finite():
    expected = np.array([np.inf, 1.0, 2.0, 3.0])
    assert cause(np.array([1.0, 1.0, 2.0, 3.0]), expected) is None
    assert cause(np.array([np.nan, 2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0, 4.0])) is None


@MANY
@given(SEEDS, st.permutations([0, 1, 2]))
def test_exchanged_axes_are_named_truly(seed, order):
    wanted = (2, 3, 4)
    got = tuple(wanted[axis] for axis in order)
    found = causes.shape(np.zeros(got), np.zeros(wanted))
    if got == wanted:
        return
    moved = [axis for axis in range(3) if got[axis] != wanted[axis]]
    if got == wanted[::-1]:
        assert found == "it is transposed"
    else:
        names = " and ".join(map(str, moved))
        assert found == f"the axes are in another order: axes {names} are exchanged"


@MANY
@given(
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
)
def test_any_two_shapes_are_explained_truly_or_not_at_all(got, wanted):
    if got == wanted:
        return
    found = causes.shape(np.zeros(got), np.zeros(wanted))
    if found is None:
        return
    without_ones = [tuple(size for size in shape if size != 1) for shape in (got, wanted)]
    if "size 1" in found or "one entry" in found:
        assert without_ones[0] == without_ones[1]
    elif "transposed" in found or "order" in found:
        assert sorted(got) == sorted(wanted)
    elif "summed" in found:
        assert len(got) < len(wanted)
    else:
        assert "missing" in found
        assert len(got) > len(wanted)
