"""The assignment's code on a student's values, in a child of ours with limits.

What comes back is one of the engine's own dataclasses: as plain data over the wire, and made anew
here. On a student's machine the same happens in the process itself.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from grader.author import evidence
from grader.errors import RAISED, Blocked, BrokenError, Cause, Failure, GraderError, Pending
from grader.isolation.bounded import (
    BoundExceededError,
    Bounds,
    UnsendableError,
    is_out_of_memory,
)
from grader.model import CheckSpec
from grader.reports import clipping

from .base import Context

LEAST_TIME_S = 10.0  # for a judge, whatever its check's limit: the machine may be busy
MOST_TIME_S = 60.0
WAITS = 5.0  # times as long by the clock, where other work has the processor
LEAST_MEMORY_MB = 512
MOST_MEMORY_MB = 1024  # a ResNet-18 on twenty photographs takes 300
MOST_RESULT_BYTES = 64 * 1024 * 1024

# How a judge fails on a result that student code has made up.
UNREADABLE = (
    *(TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError),
    RuntimeError,  # torch's word for shapes that do not fit
)


@functools.cache
def _plain_types() -> dict[str, type]:
    """Return what may come back, by name; only ours is made anew."""
    import latexgrad  # its grammar is not needed where no formula is read

    kinds = (
        *(evidence.Evidence, evidence.Finding, evidence.Curves, evidence.Pictures),
        *(evidence.Table, evidence.Text, evidence.Formulas, evidence.Formula, Cause),
        evidence.Rebuilt,
        *(latexgrad.Assessed, latexgrad.AssessedQuantity, latexgrad.AssessedFormula),
        *(latexgrad.Mistake, latexgrad.Unanswered, latexgrad.Waiting),
    )
    return {kind.__name__: kind for kind in kinds}


class MadeUpError(Exception):
    """The assignment's code failed in a way that a made-up value can bring about."""


def bounds_of(spec: CheckSpec) -> Bounds:
    """Return what judging one result of a check may use."""
    time_s = min(max(spec.timeout_s, LEAST_TIME_S), MOST_TIME_S)
    memory_mb = min(max(spec.memory_mb, LEAST_MEMORY_MB), MOST_MEMORY_MB)
    return Bounds(time_s, memory_mb, MOST_RESULT_BYTES, WAITS)


def run(
    context: Context,
    spec: CheckSpec,
    what: str,
    by: str,
    key: Hashable,
    work: Callable[[Any], Any],
    value: Any,
) -> Any:
    """Return ``work(value)``.

    Args:
        context: the check's.
        spec: the check, whose limits bound the work.
        what: names what is judged, in messages for students.
        by: names the code that judges, in messages for the instructor.
        key: tells it from other work of this check.
        work: code of the assignment or of the engine.
        value: what student code gave; the wire can carry it.

    Raises:
        Failure: the verdict of ``work``; so for ``Blocked`` and ``Pending``.
        Pending: it took more than it may.
        MadeUpError: it raised one of ``UNREADABLE``, or the wire does not write such a value.
        BrokenError: it raised anything else.
    """
    if context.bounded is None:
        return _settled(_outcome(work, value, by))
    bounds = bounds_of(spec)
    whole = (context.assignment, spec.model_dump_json(), context.seed, context.tier, key)

    def there(found: Any) -> Any:
        try:
            return _packed(_outcome(work, found, by))
        except BrokenError as error:
            return _packed(("broken", str(error)))

    try:
        return _settled(_unpacked(context.bounded.do(whole, there, value, bounds)))
    except UnsendableError as error:
        raise MadeUpError(str(error)) from None
    except BoundExceededError as exceeded:
        why = {
            "time": f"within {bounds.time_s:g} s of processor time",
            "memory": f"with {bounds.memory_mb} MiB of memory",
            "output": f"with a result of at most {MOST_RESULT_BYTES // (1024 * 1024)} MiB",
            "crash": "without a crash of the process that did it",
        }[exceeded.what]
        message = f"{what} could not be judged {why}: a person must look"
        raise Pending(message, "", "") from None


Outcome = tuple[str, Any]


def _outcome(work: Callable[[Any], Any], value: Any, by: str) -> Outcome:
    """Do the work; return how it ended, and with what."""
    try:
        return "done", work(value)
    except (Failure, Blocked) as verdict:
        kind = "failure" if isinstance(verdict, Failure) else "blocked"
        return kind, [verdict.reason, clipping.text(verdict.message), verdict.cause]
    except Pending as pending:
        return "pending", [clipping.text(pending.message), pending.file, pending.text]
    except GraderError as error:
        return "broken", str(error)
    except MemoryError:
        raise
    except UNREADABLE as error:
        if is_out_of_memory(error):
            raise MemoryError from None
        return "unreadable", clipping.text(f"{type(error).__name__}: {error}")
    except RAISED as error:
        return "broken", clipping.text(f"{by} raised {type(error).__name__}: {error}")


def _settled(outcome: Outcome) -> Any:
    """Return what the work returned, or raise what it raised."""
    kind, found = outcome
    if kind == "done":
        return found
    if kind == "failure":
        raise Failure(*found)
    if kind == "blocked":
        raise Blocked(*found)
    if kind == "pending":
        raise Pending(*found)
    if kind == "unreadable":
        raise MadeUpError(found)
    raise BrokenError(found)


def _packed(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as the wire carries it: a text in JSON, and arrays beside it."""
    arrays: list[np.ndarray[Any, Any]] = []
    text = json.dumps(_plain(outcome, arrays), ensure_ascii=False)
    return {"text": text, "arrays": arrays}


def _unpacked(carried: Any) -> Outcome:
    outcome: Outcome = _made(json.loads(carried["text"]), carried["arrays"])
    return outcome


def _plain(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Return a value as JSON; what is not a list there is an object with one key that says what."""
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | range):
        return [_plain(item, arrays) for item in value]
    kind, found = _tagged(value, arrays)
    return {kind: found}


def _tagged(value: Any, arrays: list[np.ndarray[Any, Any]]) -> tuple[str, Any]:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return "array", len(arrays) - 1
    if isinstance(value, Mapping):
        return "dict", [[_plain(k, arrays), _plain(v, arrays)] for k, v in value.items()]
    if isinstance(value, tuple):
        return "tuple", [_plain(item, arrays) for item in value]
    if type(value) not in _plain_types().values():
        raise BrokenError(f"a judge returned a value of type {type(value).__name__}")
    if isinstance(value, evidence.Evidence):
        value = clipping.evidence(value)
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return type(value).__name__, {name: _plain(item, arrays) for name, item in fields.items()}


def _made(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return [_made(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, found),) = value.items()
    if kind == "array":
        return arrays[found]
    if kind == "dict":
        return {_made(k, arrays): _made(item, arrays) for k, item in found}
    if kind == "tuple":
        return tuple(_made(item, arrays) for item in found)
    return _plain_types()[kind](**{name: _made(item, arrays) for name, item in found.items()})
