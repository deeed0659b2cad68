"""The order of the tests: nothing is lost, and no process is left alone with the examples."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import EXAMPLES, spread


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10])
@pytest.mark.parametrize("examples", [0, 1, 7, 30])
def test_each_process_begins_with_its_part_of_the_examples(count, examples):
    paths = ["test_a.py"] * 13 + [EXAMPLES] * examples + ["test_b.py"] * 12
    items = [SimpleNamespace(path=Path(path), number=n) for n, path in enumerate(paths)]
    found = spread(items, count)
    assert sorted(item.number for item in found) == list(range(len(items)))
    others = [item.number for item in found if item.path.name != EXAMPLES]
    assert others == sorted(others)
    left = found
    for number in range(count):
        size = len(left) // (count - number)
        row, left = [item.path.name == EXAMPLES for item in left[:size]], left[size:]
        assert row == sorted(row, reverse=True)
        assert examples // count <= sum(row) <= -(-examples // count)
