"""``grader doctor``: what this machine protects."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.errors import UsageError
from grader.frontends import examination
from grader.frontends.commands.exit_status import EXIT_FAILURES, reports_errors
from grader.frontends.commands.options import RUBRIC_NAME, find_rubric
from grader.reports import terminal
from grader.reports.files import write_json


@click.command("doctor")
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help=f"Try to read its files (default: {RUBRIC_NAME} here or above).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
              help="The folder with the homework's own data (default: GRADER_DATA).")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write the results to FILE.")  # fmt: skip
@reports_errors
def doctor_command(rubric: Path | None, data: Path | None, json_file: Path | None) -> None:
    """Attack this machine's isolation, and explain what is protected and what is missing.

    Exit status: 0 isolation is full, 1 it is not, 3 it could not be tested.
    """
    try:
        path: Path | None = find_rubric(rubric, Path.cwd())
    except UsageError:
        if rubric is not None:
            raise
        path = None
    found = examination.examine(path, data)
    terminal.console().print(examination.table(found))
    if json_file is not None:
        write_json(json_file, examination.as_json(found))
    if found.verdict.level != "full":
        sys.exit(EXIT_FAILURES)
