"""YAML that a platform wrote: a mapping of records, read without aliases and in one pass.

An alias stands for a value again. Nine lines of aliases for aliases announce a billion values, and
nothing that a platform writes needs one. Scalars stay the text that they are written as: a number
of a student keeps its zeros, and a date is not computed with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

MAX_DEPTH = 50
NULL = frozenset(["", "~", "null", "Null", "NULL"])
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there


def records(raw: bytes) -> Any:
    """Return the document in ``raw``: mappings, lists, texts and None.

    Raises:
        yaml.YAMLError: it is not YAML, holds an alias, or is nested too deeply.
    """
    events = yaml.parse(raw, Loader=LOADER)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            return _value(next(events), events, 0)
    return None


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent):
        raise _refused(event, "an alias is not read here")
    if depth > MAX_DEPTH:
        raise _refused(event, "it is nested too deeply")
    if isinstance(event, yaml.ScalarEvent):
        plain = event.implicit[0]
        return None if plain and event.value in NULL else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(item, events, depth + 1) for item in _until(yaml.SequenceEndEvent, events)]
    made: dict[Any, Any] = {}
    for key_event in _until(yaml.MappingEndEvent, events):
        key = _value(key_event, events, depth + 1)
        value = _value(next(events), events, depth + 1)
        if isinstance(key, str):
            made[key] = value
    return made


def _refused(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    mark: Any = event.start_mark
    return yaml.MarkedYAMLError(None, None, problem, mark)


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for event in events:
        if isinstance(event, end):
            return
        yield event
