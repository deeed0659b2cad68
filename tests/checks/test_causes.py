"""Each finder of likely causes: it fires on its mistake, and on nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import causes
from grader.checks.expectations import Tolerance
from grader.checks.numerics import compare
from grader.errors import REASONS, Cause, Failure

TOLERANCE = Tolerance(rtol=1.0e-6, atol=1.0e-9)
MANY = settings(deadline=None, max_examples=150)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.sampled_from([(3,), (8,), (2, 3), (3, 4), (4, 4), (5, 12), (2, 3, 4), (1, 6), (6, 1)])


def found_cause(actual: Any, expected: Any) -> Cause | None:
    return compare("x", np.asarray(actual), np.asarray(expected), TOLERANCE).cause


def cause(actual: Any, expected: Any) -> str | None:
    """Return the cause that a comparison finds, in words."""
    found = found_cause(actual, expected)
    return None if found is None else found.text


def normal(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


E34 = normal(1, (3, 4))
E44 = normal(2, (4, 4))
E38 = normal(3, (3, 8))
E234 = normal(4, (2, 3, 4))
E5 = normal(5, (5,))
GATES = normal(6, (3, 12))
RESHAPED = "its first two axes are mixed up: reshape does not exchange axes, transpose does"


def blocks(array: np.ndarray, order: list[int]) -> np.ndarray:
    parts = np.split(array, len(order), -1)
    return np.concatenate([parts[index] for index in order], -1)


def with_zeros(array: np.ndarray) -> np.ndarray:
    result = array.copy()
    result[0] = 0.0
    return result


FIRES = {
    "zeros": (np.zeros((3, 4)), E34, "every entry is 0: did you fill it in?"),
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
    "epsilon": (E34 + 1.0e-5, E34, "it is nearly right: did you add a small constant"),
    "half precision": (E34.astype(np.float16), E34, "it is float16 instead of float64"),
    "1.0005": (E34 * 1.0005, E34, "it is nearly right: did you add a small constant"),
    "epsilon in a number": (np.array(1.00001), np.array(1.0), "it is nearly right"),
    "epsilon in two": (np.array([1.00001, 2.0]), np.array([1.0, 2.0]), "it is nearly right"),
    "offset": (E34 + 0.5, E34, "every entry is off by the same 0.5"),
    "negative offset": (E34 - 7.0, E34, "every entry is off by the same -7"),
    "offset of zeros": (np.full((3, 4), 0.25), np.zeros((3, 4)), "every entry is off by the same"),
    "small offset": (E34 * 1e-8 + 1e-7, E34 * 1e-8, "every entry is off by the same 1e-07"),
    "transposed": (E44.T, E44, "it is transposed"),
    "time reversed": (E234[:, ::-1], E234, "it is reversed along axis 1"),
    "reversed vector": (E5[::-1], E5, "it is reversed along axis 0"),
    "read as time-major": (E234.reshape(3, 2, 4).swapaxes(0, 1), E234, RESHAPED),
    "time-major, read as batch-major": (E234.swapaxes(0, 1).reshape(2, 3, 4), E234, RESHAPED),
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
    "tanh": (E34, np.tanh(E34), "tanh of your values gives the expected ones: is it missing?"),
    "sigmoid": (E34, 1 / (1 + np.exp(-E34)), "the sigmoid of your values gives the expected ones"),
    "exp": (E34, np.exp(E34), "exp of your values gives the expected ones: is it missing?"),
    "square": (E34, E34**2, "the square of your values gives the expected ones"),
    "1 - x": (E34, 1 - E34, "1 - (...) of your values gives the expected ones"),
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


IDS = {
    "zeros": "zeros", "minus": "sign", "minus with zeros": "sign", "half": "factor",
    "a third": "factor", "double": "factor", "2.001": "factor", "batch": "factor",
    "minus double": "factor", "minus half": "factor", "half in 1 d": "factor",
    "epsilon": "nearly_right", "half precision": "lower_precision", "1.0005": "nearly_right",
    "epsilon in a number": "nearly_right", "epsilon in two": "nearly_right", "offset": "offset",
    "negative offset": "offset", "offset of zeros": "offset", "small offset": "offset",
    "transposed": "transposed", "time reversed": "reversed", "reversed vector": "reversed",
    "read as time-major": "reshaped", "time-major, read as batch-major": "reshaped",
    "one step late": "shifted", "one step early": "shifted", "shifted vector": "shifted",
    "gates": "order_of_blocks", "gates of a vector": "order_of_blocks",
    "three gates": "order_of_blocks", "halves": "order_of_blocks",
    "tanh": "function_missing.tanh", "sigmoid": "function_missing.sigmoid",
    "exp": "function_missing.exp", "square": "function_missing.square",
    "1 - x": "function_missing.one_minus", "only the last step": "one_index_right",
    "all but one": "one_index_wrong", "the first three": "some_indices_right",
}  # fmt: skip


@pytest.mark.parametrize("name", FIRES)
def test_a_mistake_keeps_its_identifier_whatever_the_numbers_are(name):
    actual, expected, _message = FIRES[name]
    found = found_cause(actual, expected)
    assert found is not None
    assert found.id == IDS[name]


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
    expected = np.array([1.37, 2.91])[:size]
    for actual in (expected * 1.5, expected + 1, 1 - expected, np.tanh(expected), np.zeros(size)):
        assert cause(actual, expected) is None


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (4, "it is 4 times as large as expected: is a division missing?"),
        (1 / 12, "times 12 it is the expected value: is it divided once too often?"),
        (-1, "it has the wrong sign"),
    ],
)
def test_a_single_number_that_is_off_by_a_whole_factor_says_so(factor, text):
    assert cause(np.array(1.37) * factor, np.array(1.37)) == text


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_a_rough_approximation_is_not_called_nearly_right(noise):
    assert cause(E34 * (1 + noise * normal(0, (3, 4))), E34) is None


def test_two_entries_in_a_row_are_no_shift():
    expected = normal(0, (3,))
    assert cause(np.array([9.0, *expected[:2]]), expected) is None


def test_a_gate_that_is_there_twice_is_no_order_of_gates():
    twice = blocks(GATES, [1, 1, 2, 3])
    assert cause(twice, GATES) == "along axis 1 only the indices 3 to 11 are right"


def test_what_a_mask_leaves_out_is_right_and_tells_nothing():
    expected = np.random.default_rng(0).normal(size=(3, 4, 5))
    expected[:, 2] = 0
    assert found_cause(expected**3 + 0.1 * (expected != 0), expected) is None
    expected[:, 2, 0] = 1e-3
    found = found_cause(np.where(expected == 1e-3, expected, expected**3), expected)
    assert found is not None
    assert found.id == "one_index_right"


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
    assert found is not None
    if got == wanted[::-1]:
        assert found == Cause("transposed", "it is transposed")
    else:
        names = " and ".join(map(str, moved))
        text = f"the axes are in another order: axes {names} are swapped"
        assert found == Cause("order_of_axes", text)


@MANY
@given(
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
)
def test_any_two_shapes_are_explained_truly_or_not_at_all(got, wanted):
    if got == wanted:
        return
    explained = causes.shape(np.zeros(got), np.zeros(wanted))
    if explained is None:
        return
    found = explained.text
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


def test_a_named_mistake_is_known_by_its_function_and_its_description():
    found = causes.of_mistake("rnn_step_forward", "the bias b is not added")
    assert found.id == "mistake.rnn_step_forward.the_bias_b_is_not_added"
    assert found.text == "the bias b is not added"
    assert found.id != causes.of_mistake("lstm_step_forward", "the bias b is not added").id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 - x stands where 1 + x is needed", "1 + x stands where 1 - x is needed"),
        ("a * b stands for a / b", "a / b stands for a * b"),
        ("i, f, g, o instead of f, i, g, o", "i, f, o, g instead of f, i, g, o"),
        ("bias " * 30 + "a", "bias " * 30 + "b"),
        ("偏置没有加上", "没有除以批量大小"),
        ("?", "!"),
    ],
)
def test_descriptions_that_differ_have_identifiers_that_differ(one, other):
    first, second = causes.of_mistake("f", one), causes.of_mistake("f", other)
    assert first.id != second.id
    for found in (first, second):
        assert len(found.id) < 100
        assert not any(char.isspace() for char in found.id)
        assert not found.id.endswith(".")


@pytest.mark.parametrize(
    ("kinds", "identifier"),
    [
        (("ValueError", "Exception", "BaseException", "object"), "exception.ValueError"),
        (("ZeroDivisionError", "ArithmeticError", "Exception"), "exception.ZeroDivisionError"),
        (("print", "Exception"), "exception.Exception"),  # a name of Python's, but no exception
        (("SECRET of a hidden input",), "exception.Exception"),
        ((), "exception.Exception"),
    ],
)
def test_an_exception_is_counted_by_a_name_of_pythons_own(kinds, identifier):
    assert causes.of_exception(kinds).id == identifier


def test_a_package_is_named_only_if_its_name_can_be_one():
    assert causes.of_package("pandas", forbidden=False).id == "missing_package.pandas"
    assert causes.of_package("torch", forbidden=True).id == "forbidden.torch"
    for odd in ("x" * 41, "a b", "1.5", "", "päckchen", "a.b"):
        found = causes.of_package(odd, forbidden=False)
        assert found.id == "missing_package"
        assert found.text == "it needs the package, which is not installed"


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_is_a_cause_only_if_it_says_why(reason):
    found = causes.of_failure(Failure(reason, "x"))
    assert (found is not None) == (reason in causes.OF_REASONS)
    if found is not None:
        assert found.id == reason
    named = Cause("factor", "every ratio is 2")
    assert causes.of_failure(Failure(reason, "x", named)) == named
