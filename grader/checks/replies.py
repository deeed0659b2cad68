"""How much a worker may answer: what the check expects, with room to spare.

The wire refuses a reply by the sizes that it announces, before anything of it is read or decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grader.assignment.reference import SolvedCase

KIB = 1024
ROOM = 16  # times what the reference takes and returns: wrong shapes and wider types get a message
LEAST_BYTES = 1024 * KIB  # small values with a wrong shape must still be answered by their shape


def bytes_for(cases: Iterable[SolvedCase]) -> int:
    """Return how many bytes a reply may hold to a question about any of the cases."""
    largest = max((_bytes_of(case) for case in cases), default=0)
    return max(LEAST_BYTES, ROOM * largest)


def _bytes_of(case: SolvedCase) -> int:
    groups = (case.arguments, case.expected, case.cotangents, case.forward)
    return sum(_size(value) for group in groups for value in group.values())


def _size(value: Any) -> int:
    """Return the bytes of an array or a tensor, and those of arrays in lists and dictionaries."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if isinstance(value, str):
        return len(value)
    return int(getattr(value, "nbytes", 8))
