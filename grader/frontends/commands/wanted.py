"""Which checks are named on the command line, by their ids or by those of their questions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grader.errors import UsageError
from grader.model import Rubric

NUMBER = re.compile(r"([0-9]+)")


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
        meant = list(filter(None, (_meant(name, [*by_id, *everything]) for name in unknown)))
        raise UsageError(
            f"{named}: no such question, check or folder; did you mean {', '.join(meant)}?"
            if len(meant) == len(unknown)
            else f"{named}: no such question, check or folder (questions: "
            f"{', '.join(sorted(by_id, key=_natural))}; "
            f"checks: {', '.join(sorted(everything, key=_natural))})"
        )
    chosen = frozenset(check for name in only for check in known[name.lower()])
    return chosen or frozenset(everything)


def _meant(name: str, known: Sequence[str]) -> str | None:
    """Return the id that somebody meant by ``q31``, ``3.1`` or ``question 3-1``; None if none.

    Ids differ in numbers alone, so one that is merely close is another check.
    """
    forms = {_core(one): one for one in reversed(known)}
    return forms.get(_core(name)) if _core(name) else None


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts q5.10 behind q5.9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in NUMBER.split(name)]


def _core(name: str) -> str:
    """Return the letters and digits of an id, without the word for a question."""
    letters = "".join(char for char in name.casefold() if char.isalnum())
    return letters.removeprefix("question").removeprefix("check").removeprefix("q")
