"""Writing the files of one submission's report.

What can be made again from ``report.json`` is not flushed to the disk.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.reports import html, results
from grader.reports.files import write_bytes, write_json, write_text
from grader.reports.report import Report

# The files of a report and their last bytes; report.json, the authority, comes last.
ENDINGS = {"pytest.json": b"}\n", "results.json": b"}\n", "report.html": b"</html>"}
BESIDE = tuple(ENDINGS)
OPTIONAL = frozenset(["pytest.json"])  # a report of what could not be graded has none


def write_reports(
    folder: Path,
    made: Report,
    recorded: Any = None,
    pictures: Mapping[str, bytes] | None = None,
) -> None:
    """Write the files of one submission; ``report.json``, the authority, comes last.

    Raises:
        UnwritableError: one of them cannot be written.
    """
    if recorded is not None:
        write_json(folder / "pytest.json", recorded, flush=False)
    for name, data in (pictures or {}).items():
        write_bytes(folder / name, data)
    write_json(folder / "results.json", results.gradescope(made), flush=False)
    write_text(
        folder / "report.html",
        html.report(made, pictures or {}, _from_the_start(folder)),
        flush=False,
    )
    write_json(folder / "report.json", made.model_dump())


def are_whole(folder: Path) -> bool:
    """Say whether the files beside ``report.json`` are there, and were written to their ends.

    A machine that loses power may keep their names without what was in them.
    """
    return all(
        _ends_with(folder / name, ending)
        for name, ending in ENDINGS.items()
        if name not in OPTIONAL or (folder / name).exists()
    )


def _ends_with(path: Path, ending: bytes) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(-len(ending), os.SEEK_END)
        return file.read() == ending
    return False


def _from_the_start(folder: Path) -> str:
    """Return how a command names the folder, where grading was started; no path of the machine."""
    shown = Path(*folder.parts[-2:]) if folder.is_absolute() else folder
    return shown.as_posix()
