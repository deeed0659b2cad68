"""The user's folder for what this program keeps from one run to the next.

It is outside the assignment's folder, which is packed, published and copied, and its owner alone
may read what is in it. Source: the XDG Base Directory Specification.
"""

from __future__ import annotations

import os
from pathlib import Path

from grader.errors import UsageError

FOLDER = "dl-grader"
HOMELESS = "the secret seed has no place: name one with --seed-file FILE"


def folder() -> Path:
    """Return the folder, which may not be there yet; raises ``UsageError`` without a home."""
    named = os.environ.get("XDG_STATE_HOME", "")
    try:
        state = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise UsageError(HOMELESS) from None
    return state / FOLDER


def room(name: str, most: int) -> Path:
    """Return a folder of this name in it, made, without all but the newest files.

    Raises:
        OSError: it cannot be made.
        UsageError: the user has no home folder.
    """
    place = folder() / name
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = sorted(place.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[: -most + 1]:  # one more is to come
        path.unlink(missing_ok=True)
    return place
