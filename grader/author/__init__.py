"""Everything an assignment is written in: cases, evidence, and the failures that it may report.

This is the one module that an assignment imports from. Its names change only as
docs/public-names.md says.
"""

from grader.author.cases import Case
from grader.author.evidence import (
    Curves,
    Evidence,
    Figure,
    Finding,
    Formula,
    Formulas,
    Pictures,
    Rebuilt,
    Table,
    Text,
)
from grader.errors import Failure, Reason

__all__ = [
    "Case", "Curves", "Evidence", "Failure", "Figure", "Finding", "Formula", "Formulas",
    "Pictures", "Reason", "Rebuilt", "Table", "Text",
]  # fmt: skip
