"""Dates and times as platforms and people write them."""

from __future__ import annotations

import re
from datetime import datetime

MAX_TEXT = 60  # characters
YEARS = range(1900, 2400)  # the first and last ones have no neighbors to compute with
ZONE = re.compile(r"\s*([+-]\d\d):?(\d\d)$", re.ASCII)


def moment(text: str) -> datetime:
    """Return a date with its time, and with its zone if it names one.

    Such as ``2027-03-01 23:59``, ``2027-03-01T23:59:00Z`` or ``2027-03-01 23:59:00 -0800``.

    Raises:
        ValueError: it is none.
    """
    if len(text) > MAX_TEXT:
        raise ValueError("not a date")
    # Python 3.10 reads neither the letter Z nor zones without a colon.
    plain = ZONE.sub(r"\1:\2", re.sub(r"\s*(Z|UTC)$", "+00:00", text.strip()))
    found = datetime.fromisoformat(plain)
    if found.year not in YEARS:
        raise ValueError("not a date of this time")
    return found
