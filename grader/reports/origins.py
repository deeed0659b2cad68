"""Where the hand-ins of a folder's reports lie, so that no report replaces another student's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.reports.files import write_bytes

NAME = ".sources.json"  # only its owner may read it: it holds paths of the grader's machine
Sources = Mapping[str, str]  # where each hand-in lies, by its id


def check(out: Path, sources: Sources) -> None:
    """Refuse to overwrite the report of a hand-in that lies elsewhere.

    Two students may have chosen one name, and an archive may hold folders named like others.

    Raises:
        UsageError: with the first report, both hand-ins, and what can be done.
    """
    before = _read(out)
    for name, source in sources.items():
        earlier = _absolute(before[name], out) if name in before else source
        if earlier != source and (out / name / "report.json").is_file():
            raise UsageError(
                f"--out {out}: {name} is the report of {earlier}, and {source} would overwrite it. "
                "Nothing was graded. If both are the same student's, delete "
                f"{out / name} first; if not, rename the hand-in or grade into another --out DIR"
            )


def keep(out: Path, sources: Sources) -> None:
    """Note where the hand-ins lie that are about to be graded.

    Raises:
        UnwritableError: the file cannot be written.
    """
    here = {name: os.path.relpath(source, out.resolve()) for name, source in sources.items()}
    text = json.dumps({**_read(out), **here}, indent=1)
    write_bytes(out / NAME, f"{text}\n".encode(), private=True)


def read(out: Path) -> dict[str, str]:
    """Return where the hand-ins of the reports in ``out`` lay, by their ids."""
    return {name: _absolute(source, out) for name, source in _read(out).items()}


def _absolute(source: str, out: Path) -> str:
    """Return a path that is kept relative to the reports, so that both can be moved together."""
    return os.path.normpath(out.resolve() / source)


def _read(out: Path) -> dict[str, str]:
    try:
        written = json.loads((out / NAME).read_bytes())
        return {str(name): str(source) for name, source in written.items()}
    except (OSError, ValueError, AttributeError):
        return {}
