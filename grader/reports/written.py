"""Writing the files of one submission's report.

What can be made again from ``report.json`` is not flushed to the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.reports import html, results
from grader.reports.files import write_bytes, write_json, write_text
from grader.reports.report import Report

# The files of a report; report.json, the authority, comes last.
BESIDE = ("pytest.json", "results.json", "report.html")


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


def _from_the_start(folder: Path) -> str:
    """Return how a command names the folder, where grading was started; no path of the machine."""
    shown = Path(*folder.parts[-2:]) if folder.is_absolute() else folder
    return shown.as_posix()
