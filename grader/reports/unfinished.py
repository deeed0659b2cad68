"""What an interrupted run has left to grade: a file beside the reports, until it is graded."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.reports.files import TEMPORARY, write_json

NAME = f"{TEMPORARY}run.json"  # no reader takes it for a report
Options = Mapping[str, Any]  # what all grades of a run depend on, in values of JSON


def options_of(rubric: Path, checks: Collection[str], **settings: object) -> Options:
    """Return what all grades of a run depend on: what is left must be graded with the same.

    Args:
        rubric: the rubric's file.
        checks: the ids of the checks to run.
        settings: options by their names on the command line, without the dashes.
    """
    digest = hashlib.sha256(rubric.read_bytes()).hexdigest()
    return {"rubric": digest, "only": sorted(checks), **settings}


def keep(out: Path, identifiers: Collection[str], options: Options) -> None:
    """Write which submissions are still to be graded; nothing is left there if none is.

    Raises:
        UnwritableError: the file cannot be written.
    """
    if identifiers:
        write_json(out / NAME, {"left": sorted(identifiers), "options": dict(options)})
        return
    with contextlib.suppress(OSError):
        (out / NAME).unlink()


def left(out: Path, options: Options) -> frozenset[str]:
    """Return the submissions that an interrupted run with these options has left."""
    found, before = _read(out)
    return found if before == options else frozenset()


def resumed(out: Path, identifiers: Collection[str], options: Options) -> frozenset[str]:
    """Return which of these submissions are left to grade: also those that are new since then.

    Raises:
        UsageError: no run was interrupted there, or it has left none of them, or its grades
            depend on other options.
    """
    found, before = _read(out)
    if not found & frozenset(identifiers):
        raise UsageError(
            f"--resume: no run into {out} was interrupted that has left any of these submissions"
        )
    if before != options:
        names = [name for name in options if before.get(name) != options[name]]
        others = ", ".join("another rubric" if n == "rubric" else f"another --{n}" for n in names)
        raise UsageError(
            f"--resume: the interrupted run into {out} had {others}; use the same command, or "
            "grade all again without --resume"
        )
    return found | {name for name in identifiers if not (out / name / "report.json").is_file()}


def _read(out: Path) -> tuple[frozenset[str], Options]:
    try:
        written = json.loads((out / NAME).read_bytes())
        return frozenset(map(str, written["left"])), dict(written["options"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset(), {}
