"""What all kinds share: groups of cases, and what their results have in common."""

import numpy as np
import pytest

from grader.checks.base import Tally, in_lines
from grader.checks.expectations import Tolerance
from grader.checks.numerics import compare
from grader.errors import Cause
from grader.model import Part

RIGHT = np.array([4.43642, 3.9172, 7.1])


def tally(*values):
    found = Tally()
    for value, right in zip(values, RIGHT, strict=False):
        one = compare("loss", value, np.array(right), Tolerance(1e-6, 1e-9))
        found.add(float(one.ok), one.reason, one.text, one.cause, one.ratio)
    return found


@pytest.mark.parametrize("factor", [0.37, 1.002, 1 / np.log(2), -0.7, 17.5])
def test_a_factor_that_all_cases_share_is_named(factor):
    found = tally(*(factor * RIGHT))
    assert f"; each time it is {factor:.6g} times the expected value (3 of 3" in found.summary
    assert found.earned == 0


@pytest.mark.parametrize(
    "values",
    [RIGHT + 0.37, RIGHT**2, [RIGHT[0] * 2.5, RIGHT[1] * 2.6], [np.nan, RIGHT[1]], RIGHT[:1] * 2.5],
)
def test_what_they_do_not_share_is_not(values):
    assert "each time" not in tally(*values).summary


def test_a_named_cause_needs_no_factor():
    assert "is a division missing?" in tally(*(3 * RIGHT)).summary
    assert "each time" not in tally(*(3 * RIGHT)).summary


def test_a_group_earns_what_its_worst_case_does_and_keeps_the_first_message():
    found = tally(RIGHT[0], 2.0, 9.0)
    assert (found.cases, found.failed, found.earned) == (3, 2, 0)
    assert found.reason == "mismatch"
    assert "got 2, expected 3.917" in found.summary
    assert tally(*RIGHT).summary == ""


def test_parts_that_are_wrong_for_one_cause_share_a_line():
    parts = [Part(name, 0.3, 0.0, "mismatch", f"{name} is wrong") for name in ("dx", "dw", "db")]
    alike = {"dx": Cause("sign", "s"), "dw": Cause("sign", "s"), "db": None}
    assert in_lines(tuple(parts), alike) == "dx is wrong [also wrong: dw]\ndb is wrong"
