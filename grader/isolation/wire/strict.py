"""JSON as it is on the wire: no constants, finite numbers, small integers, every key once."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_INT = 2**63


def loads(text: str) -> Any:
    """Return what a text stands for; raises ``ValueError`` or ``RecursionError``."""
    return (STRICT if MANY_DIGITS.search(text) else STRICT_AND_SMALL).decode(text)


def _refuse(word: str) -> None:
    raise ValueError(word)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("number too large")
    return number


def _small_int(text: str) -> int:
    if len(text) > len(str(MAX_INT)) + 1 or abs(number := int(text)) >= MAX_INT:
        raise ValueError("integer too large")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


STRICT = json.JSONDecoder(
    parse_constant=_refuse,
    parse_float=_finite,
    parse_int=_small_int,
    object_pairs_hook=_unique,
)
# No integer of fewer digits reaches MAX_INT; they need not be looked at one by one.
MANY_DIGITS = re.compile("[0-9]{18}")
STRICT_AND_SMALL = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique
)
