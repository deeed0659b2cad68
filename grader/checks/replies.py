"""How much a worker may answer: what the check expects, with room to spare.

The wire refuses a reply by the sizes that it announces, before anything of it is read or decoded.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.assignment.reference import SolvedCase

KIB = 1024
ROOM = 16  # times what the reference takes and returns: wrong shapes and wider types get a message
LEAST_BYTES = 1024 * KIB  # small values with a wrong shape must still be answered by their shape


def bytes_for(cases: Iterable[SolvedCase]) -> int:
    """Return how many bytes a reply may hold to a question about any of the cases."""
    largest = max((case.nbytes for case in cases), default=0)
    return max(LEAST_BYTES, ROOM * largest)
