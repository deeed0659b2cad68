"""Which checks are named on the command line, by their ids or by those of their questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.errors import UsageError
from grader.model import Rubric


def wanted_checks(rubric: Rubric, only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the checks that are named, by themselves or by their question."""
    return wanted_of(
        {question.id: [check.id for check in question.checks] for question in rubric.questions},
        only,
    )


def wanted_of(by_id: Mapping[str, Sequence[str]], only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the checks that are named; ``by_id`` has those of each question.

    Raises:
        UsageError: a name is neither a question's nor a check's.
    """
    everything = [check for checks in by_id.values() for check in checks]
    known: dict[str, Sequence[str]] = {check.lower(): [check] for check in everything}
    known |= {question.lower(): checks for question, checks in by_id.items()}
    unknown = [name for name in only if name.lower() not in known]
    if unknown:
        named = ", ".join(name.strip() or repr(name) for name in unknown)
        raise UsageError(
            f"{named}: no such question, check or folder (questions: "
            f"{', '.join(by_id)}; checks: {', '.join(everything)})"
        )
    chosen = frozenset(check for name in only for check in known[name.lower()])
    return chosen or frozenset(everything)
