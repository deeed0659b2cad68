"""Shards divide a class: together they are all of it, and no two share a submission."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from grader.reports.shards import Shard


@given(st.sets(st.text(min_size=1), max_size=40), st.integers(1, 50), st.randoms())
def test_shards_divide_a_class(names, of, random):
    shuffled = [*names]
    random.shuffle(shuffled)
    parts = [Shard(number, of).members(shuffled) for number in range(1, of + 1)]
    assert Counter(name for part in parts for name in part) == dict.fromkeys(names, 1)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert parts == [Shard(number, of).members(sorted(names)) for number in range(1, of + 1)]
