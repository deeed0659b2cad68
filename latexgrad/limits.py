"""Limits of what is read and computed for one file: a hostile formula costs a bounded time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MAX_BYTES = 64 * 1024  # the longest honest answer seen has 8 KiB
MAX_TOKENS = 30_000  # after macros are expanded
MAX_FORMULA_TOKENS = 1_500  # a right formula has some 40
MAX_STATEMENTS = 600
MAX_DEPTH = 24  # of nested brackets; parser and evaluation recurse a few times per level
MAX_BRACES = 64  # nested, as written: fractions and macros put several around a bracket
MAX_HEADING = 500  # characters of a heading, with those above it, that are looked at
MAX_MACRO_DEPTH = 12  # macros within macros
FILES_KEPT = 16  # as read: the checks of one submission read the same file
MAX_FACTORS = 16  # of one product: all groupings of it are looked at
MAX_READINGS = 8  # different meanings of one product or formula that are kept
MAX_OPERATIONS = 300_000  # array operations of one check: some seconds; honest ones need 3,000
MAX_SECONDS = 5.0  # of processor time: a busy machine must not change what comes out
OPERATIONS_BETWEEN_CLOCKS = 256


class UnreadableError(Exception):
    """A formula that cannot be read; ``at`` is the offset in the file where reading stopped."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class OverBudgetError(Exception):
    """Evaluation exceeds its budget."""


@dataclass
class Budget:
    """Operations and time that are left for one check."""

    operations: int = MAX_OPERATIONS
    until: float = field(default_factory=lambda: time.thread_time() + MAX_SECONDS)

    def spend(self, operations: int = 1) -> None:
        """Count operations; raises ``OverBudgetError`` beyond the limits."""
        self.operations -= operations
        if self.operations < 0:
            raise OverBudgetError("it takes too many operations to evaluate")
        if self.operations % OPERATIONS_BETWEEN_CLOCKS == 0 and time.thread_time() > self.until:
            raise OverBudgetError("it takes too long to evaluate")
