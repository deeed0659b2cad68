"""Seeds: the same on every machine and day, and another one for every check."""

from __future__ import annotations

import itertools

from grader.seeds import SEED_BITS, seed_for

GOLDEN = 17994165401984


def test_a_seed_is_the_same_next_year_and_on_another_machine():
    # Grades depend on these numbers: a change of them is a change for the changelog.
    assert seed_for("dl-hw2", "q3.1", 20261) == GOLDEN
    assert seed_for("dl-hw2", "q3.1", 20261, 0) == GOLDEN


def test_seeds_differ_by_everything_they_are_made_from():
    seeds = [
        seed_for(assignment, check, seed, attempt)
        for assignment, check, seed, attempt in itertools.product(
            ["dl-hw1", "dl-hw2"], ["q3.1", "q3.2", "q31"], [0, 1, 20261], range(4)
        )
    ]
    assert len(set(seeds)) == len(seeds)


def test_names_do_not_run_into_each_other():
    assert seed_for("a", "bc", 1) != seed_for("ab", "c", 1)
    assert seed_for("a", "b1", 2) != seed_for("a", "b", 12)
    assert seed_for("a", "b", 1, 11) != seed_for("a", "b", 11, 1)


def test_a_seed_survives_json_readers_that_know_only_floats():
    seeds = [seed_for("a", "b", seed) for seed in range(200)]
    assert all(0 <= seed < 2**SEED_BITS for seed in seeds)
    assert all(int(float(seed)) == seed for seed in seeds)
    assert max(seeds) > 2 ** (SEED_BITS - 2)
