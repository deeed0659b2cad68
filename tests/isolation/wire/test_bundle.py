"""Calls in one request: what arrives is what was sent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from grader.isolation.wire import Opaque, WireError
from grader.isolation.wire.bundle import bundle, may_be_bundled, unbundle


def _arrived(calls: list[tuple[str, tuple[Any, ...], tuple[int, ...]]]) -> list[Any]:
    text, data = bundle(calls)
    return list(unbundle(text, data, lambda handle: f"object {handle}"))


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.arange(6.0).reshape(2, 3).T,
    np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    np.arange(10)[::2],
    np.array(3.0),
    np.zeros((0, 4)),
    np.array([True, False]),
    np.array([1 + 2j]),
    np.array([1, 2], dtype=">i4"),
    np.array([np.nan, -np.inf]),
    np.arange(3, dtype=np.uint8),
]


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_arrays_arrive_as_they_are(array):
    # An odd number of bytes before it: its own need not be aligned in the request.
    [(name, (_first, arrived), opaque)] = _arrived([("f", (np.zeros(1, np.int8), array), ())])
    assert (name, opaque) == ("f", [])
    np.testing.assert_array_equal(arrived, array)
    assert arrived.dtype == array.dtype.newbyteorder("=")
    assert arrived.flags.owndata or arrived.base.flags.owndata
    assert arrived.flags.writeable
    assert arrived.flags.aligned
    assert arrived.flags.c_contiguous


def test_arrays_share_nothing():
    shared = np.arange(3.0)
    (_, (first, second), _), (_, (third,), _) = _arrived(
        [("f", (shared, shared), ()), ("f", (shared,), ())]
    )
    first[:] = 0
    second[:] = 1
    np.testing.assert_array_equal(third, shared)


def test_numbers_and_handles_arrive():
    values = (1, -2.5, True, None, math.inf, -math.inf, Opaque(4, "dict"))
    [(_name, arguments, opaque)] = _arrived([("f", values, (0, 2))])
    assert arguments == [1, -2.5, True, None, math.inf, -math.inf, "object 4"]
    assert [type(value) for value in arguments[:3]] == [int, float, bool]
    assert opaque == [0, 2]
    [(_name, (nan,), _opaque)] = _arrived([("f", (math.nan,), ())])
    assert math.isnan(nan)


def test_a_handle_is_looked_up_when_its_call_comes():
    text, data = bundle([("f", (1,), (0,)), ("g", (Opaque(0, ""),), ())])
    held: dict[int, str] = {}
    arrived = unbundle(text, data, held.__getitem__)
    next(arrived)
    held[0] = "made by the first call"
    assert next(arrived)[1] == ["made by the first call"]


@pytest.mark.parametrize("value", ["text", [1], {"a": 1}, np.array(["text"]), np.float64(1), {1}])
def test_other_values_are_refused(value):
    assert not may_be_bundled(value)
    with pytest.raises(WireError, match="cannot be bundled"):
        bundle([("f", (value,), ())])
