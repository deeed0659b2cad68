"""How far values are off, as the measurements of a report say it."""

from __future__ import annotations

from typing import Any

from grader.checks.numerics import Comparison

RELATIVE = "largest_relative_difference"
SHARE = "largest_share_of_tolerance"


class LargestDifferences:
    """The largest differences of each value over all cases.

    They are relative to the expected values, and to what the tolerances allow: values are right up
    to a share of 1. Values of another shape or type have no difference, nor have NaN and infinity.
    """

    def __init__(self) -> None:
        self._relative: dict[str, float] = {}
        self._shares: dict[str, float] = {}

    def note(self, name: str, found: Comparison) -> None:
        """Take one more comparison of a value."""
        self._relative[name] = max(self._relative.get(name, 0.0), found.max_rel or 0.0)
        if found.share is not None:
            self._shares[name] = max(self._shares.get(name, 0.0), found.share)

    @property
    def measurements(self) -> dict[str, Any]:
        """Both, by value."""
        return {RELATIVE: self._relative, SHARE: self._shares}
