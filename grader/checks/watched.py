"""What a check compares, for whoever wants to see it once more (``grader replay``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.assignment.reference import SolvedCase
from grader.errors import Blocked, Failure

if TYPE_CHECKING:
    from .numerics import Comparison


@dataclass(frozen=True)
class CallMade:
    """A call of student code, or of a driver beside it.

    Attributes:
        function: its name.
        arguments: by name, in order. What is ``Opaque`` is an output of an earlier call.
        returns: the names of what it returns, in order; a driver returns them by name.
        driver: name and source of the driver's file, if ``function`` is a driver's.
    """

    function: str
    arguments: Mapping[str, Any]
    returns: Sequence[str] = ()
    driver: tuple[str, str] | None = None


@dataclass(frozen=True)
class Compared:
    """One value of one case, compared with the right one.

    Attributes:
        case: the case, with its right values.
        comparison: the value's name, and what is wrong with it.
        given: what student code gave; None if it gave nothing.
        calls: the calls of student code up to here, the last one last.
        answered: whether the reference took the place of other functions.
        repaired: the line of the student's that was put right; None for the code as it is.
    """

    case: SolvedCase
    comparison: Comparison
    given: Any = None
    calls: tuple[CallMade, ...] = ()
    answered: bool = False
    repaired: int | None = None

    @property
    def is_alone(self) -> bool:
        """Whether the student's code gave this value as it is, without anything put right."""
        return not self.answered and self.repaired is None

    @property
    def said(self) -> str:
        """What the message of a check holds if it is about this value."""
        return f"case {self.case.name}: {self.comparison.message}"


Watch = Callable[[Compared], None]


def stopped(name: str, failed: Failure | Blocked) -> Comparison:
    """Return what is said of a case that gave no value."""
    from .numerics import Comparison

    return Comparison(name, failed.reason, failed.message, failed.cause)
