"""Which words of an exception a student may read: hidden data could be in them."""

from __future__ import annotations

import dataclasses

from grader.model import CheckResult

WITHHELD = (
    "the text of the exception is not shown, since it could hold hidden data; your instructor can "
    "read it"
)
OF_EXCEPTIONS = frozenset(["exception", "memory", "not_implemented", "import_error"])
PUBLIC_WORDS = (
    "the exception is shown as it comes with public data, on which this check ends in the same way"
)


def tell_of_an_exception(result: CheckResult) -> bool:
    """Say whether an exception is a reason for what a result lost; others were only on the way."""
    reasons = {result.reason, *(part.reason for part in result.parts)}
    return bool(reasons & OF_EXCEPTIONS)


def with_words_of(result: CheckResult, public: CheckResult) -> CheckResult | None:
    """Return a result with the words of a run on public data; None unless that ended the same way.

    What else the run on public data found says nothing about the grade.
    """
    ends = [
        (one.outcome, one.reason, [(p.name, p.earned, p.reason) for p in one.parts])
        for one in (result, public)
    ]
    if ends[0] != ends[1]:
        return None
    if (result.message, result.parts) == (public.message, public.parts):
        return result
    notes = (*result.notes, PUBLIC_WORDS)
    return dataclasses.replace(
        *(result,), message=public.message, cause=public.cause, parts=public.parts, notes=notes
    )
