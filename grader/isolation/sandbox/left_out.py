"""The statements of a submission that are not run, since they have ended a worker."""

from __future__ import annotations

from typing import Any

MAX_LEFT_OUT = 12  # statements of a submission that have ended workers
Place = tuple[str, int, int]  # a statement's file, line and column


class LeftOut:
    """The statements of a submission that end a worker: other workers start without them.

    The places come from workers, which may forge them; what a submission can bring about is only
    that statements of its own are left out.
    """

    def __init__(self) -> None:
        self._how: dict[Place, str] = {}

    def add(self, place: Place, how: str) -> bool:
        """Note how a statement ended a worker; say whether that is new."""
        if place in self._how or len(self._how) >= MAX_LEFT_OUT:
            return False
        self._how[place] = how
        return True

    def rows(self) -> list[list[Any]]:
        """Return file, line, column and how each ended a worker."""
        return [[*place, how] for place, how in self._how.items()]
