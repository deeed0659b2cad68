"""Derivations: LaTeX in, a verdict for each formula out.

``assess`` is the only way in: from a text and a ``Task`` to an ``Assessment``.
"""

from .assessment import (
    AssessedFormula,
    AssessedQuantity,
    Assessment,
    Judged,
    Loss,
    Unanswered,
    Waiting,
)
from .pipeline import assess
from .task import Task, TaskError

__all__ = [
    "AssessedFormula",
    "AssessedQuantity",
    "Assessment",
    "Judged",
    "Loss",
    "Task",
    "TaskError",
    "Unanswered",
    "Waiting",
    "assess",
]
