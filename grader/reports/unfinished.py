"""What an interrupted run has left to grade: a file beside the reports, until it is graded."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from pathlib import Path

from grader.errors import UsageError
from grader.reports.files import TEMPORARY, write_json

NAME = f"{TEMPORARY}run.json"  # no reader takes it for a report


def keep(out: Path, identifiers: Collection[str]) -> None:
    """Write which submissions are still to be graded; nothing is left there if none is.

    Raises:
        UnwritableError: the file cannot be written.
    """
    if identifiers:
        write_json(out / NAME, {"left": sorted(identifiers)})
        return
    with contextlib.suppress(OSError):
        (out / NAME).unlink()


def left(out: Path) -> frozenset[str]:
    """Return the submissions that an interrupted run has left; none if no run was interrupted."""
    try:
        found = json.loads((out / NAME).read_bytes())["left"]
        return frozenset(str(name) for name in found)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def resumed(out: Path, identifiers: Collection[str]) -> frozenset[str]:
    """Return which of these submissions an interrupted run into ``out`` has left to grade.

    Raises:
        UsageError: no run was interrupted there, or it has left none of them.
    """
    found = left(out) & frozenset(identifiers)
    if not found:
        raise UsageError(
            f"--resume: no run into {out} was interrupted that has left any of these submissions"
        )
    return found
