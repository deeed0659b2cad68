"""How often right programs miss full points, from a few runs of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.calibration.thresholds import MISSED, Distribution, Repeats, Threshold

ONCE = Repeats(0.0, 0)


def losses(count, *, mean=0.0, spread=1.0, seed=0):
    """Return numbers whose logarithms have exactly this mean and this standard deviation."""
    drawn = np.random.default_rng(seed).normal(size=count)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return tuple(np.exp(mean + spread * drawn))


def distribution(values, *, rises=False, name="full_marks/plain"):
    return Distribution(name, tuple(values), rises)


# One-sided tolerance factors for 95 % confidence: NIST/SEMATECH e-Handbook, section 7.2.6.3, gives
# 1.8752 for n = 43, 90 % of the population and 99 % confidence; these are the tables of Natrella
# (NBS Handbook 91, table A-7) for 95 %.
@pytest.mark.parametrize(
    ("count", "share", "factor"),
    [
        (10, 0.90, 2.355),
        (10, 0.99, 3.981),
        (30, 0.99, 3.064),
        (30, 0.999, 4.022),
        (50, 0.99, 2.863),
    ],
)
def test_the_bound_is_that_of_tables_of_tolerance_factors(count, share, factor):
    found = distribution(losses(count))
    assert found.below(math.exp(factor)) == pytest.approx(1 - share, rel=0.02)


def test_a_bound_holds_as_often_as_it_says():
    # Of 400 sets of 30 runs, the true share (2.3 % above 2) exceeds the bound in about one of 20.
    rng = np.random.default_rng(3)
    sets = [distribution(np.exp(rng.normal(size=30))) for _ in range(400)]
    exceeded = sum(one.below(math.exp(2.0)) < 0.02275 for one in sets)
    assert 8 <= exceeded <= 35


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=25)
def test_a_stricter_threshold_is_missed_no_less_often(one, other):
    found = distribution((0.5, 0.6, 0.55, 0.7, 0.52, 0.61), rises=True)
    low, high = sorted((one, other))
    assert found.below(low) <= found.below(high) + 1e-9


def test_runs_that_are_all_equal_bound_the_share_by_their_number():
    found = distribution([1.0] * 30, rises=True)
    assert found.below(0.95) == pytest.approx(1 - 0.05 ** (1 / 30))
    assert found.below(1.0) == pytest.approx(0.095, abs=1e-3)
    assert distribution([0.9] * 30, rises=True).below(0.95) == 1.0
    assert distribution([0.9] * 30).below(0.95) == pytest.approx(0.095, abs=1e-3)


def test_a_near_miss_is_lost_only_if_another_run_of_two_misses_as_well():
    found = distribution(losses(30))
    limit = math.exp(2.5)
    share = found.below(limit)
    never_at_once = Repeats(near=1.0e6, extra=2)
    assert found.missed(limit, never_at_once) == pytest.approx(share * (1 - (1 - share) ** 2))
    assert found.missed(limit, ONCE) == share
    narrow = found.missed(limit, Repeats(near=0.5, extra=2))
    assert found.missed(limit, never_at_once) < narrow < share


def threshold(right, *, full_at, zero_at, wrong=(), repeats=ONCE):
    return Threshold("q1", "metric", zero_at, full_at, repeats, tuple(right), tuple(wrong))


def accuracies(centre, spread, count=30, seed=1):
    drawn = np.random.default_rng(seed).normal(math.log(centre / (1 - centre)), spread, count)
    return distribution(1 / (1 + np.exp(-drawn)), rises=True)


def test_a_threshold_that_is_too_strict_is_lowered_until_right_programs_pass():
    found = threshold([accuracies(0.95, 0.2)], full_at=0.95, zero_at=0.5)
    assert found.missed(found.right[0]) > 0.3
    assert found.proposed is not None
    assert 0.85 < found.proposed < 0.92
    assert found.right[0].missed(found.proposed, ONCE) <= MISSED
    assert found.right[0].missed(found.proposed + 0.01, ONCE) > MISSED
    assert f"full_at: {found.proposed:g} would do" in found.verdict


def test_a_threshold_that_serves_is_left_alone():
    found = threshold([accuracies(0.98, 0.2)], full_at=0.92, zero_at=0.5)
    assert found.proposed is None
    assert found.verdict == ""


def test_of_a_wrong_program_counts_how_often_it_reaches_full_points():
    wrong = accuracies(0.6, 0.2, seed=2)
    found = threshold([accuracies(0.98, 0.2)], full_at=0.92, zero_at=0.5, wrong=[wrong])
    assert found.gained(wrong) < 1e-6
    near = accuracies(0.9, 0.2, seed=3)
    assert 0.05 < found.gained(near) < 0.4
    assert found.gained(near) == pytest.approx(distribution(near.values).below(0.92))
    assert math.isnan(found.gained(distribution(near.values[:4], rises=True)))


def test_a_loss_has_its_threshold_on_the_other_side():
    found = threshold([distribution(losses(30, spread=0.05))], full_at=1.05, zero_at=1.6)
    assert found.proposed is not None
    assert 1.15 < found.proposed < 1.35


def test_the_worst_right_program_decides():
    good, bad = accuracies(0.99, 0.2), accuracies(0.9, 0.3, seed=2)
    found = threshold([good, Distribution("full_marks/loop", bad.values, rises=True)],
                      full_at=0.95, zero_at=0.5)  # fmt: skip
    assert found.measured[0].program == "full_marks/loop"
    assert "full_marks/loop" in found.verdict


def test_what_nobody_can_know_is_said():
    few = threshold([distribution((0.9, 0.95), rises=True)], full_at=0.9, zero_at=0.5)
    assert few.proposed is None
    assert few.verdict == "fewer than 5 runs of any right program"
    equal = threshold([distribution([1.0] * 30, rises=True)], full_at=0.95, zero_at=0.5)
    assert equal.proposed is None
    assert equal.verdict == "all runs are equal; 30 of them show only that at most 9.5 % are worse"
    hopeless = threshold([accuracies(0.5, 2.0)], full_at=0.9, zero_at=0.6)
    assert hopeless.verdict == "no threshold on this side of zero_at serves full_marks/plain"


def test_two_heaps_of_values_do_not_look_normal():
    heaps = [0.5 + 0.001 * n for n in range(20)] + [0.9 + 0.001 * n for n in range(20)]
    assert not distribution(heaps, rises=True).looks_normal
    assert accuracies(0.9, 0.2).looks_normal
