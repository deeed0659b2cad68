"""``grader gradescope``: one run of the autograder on the platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError, UsageError
from grader.frontends.commands.exit_status import EXIT_BROKEN, EXIT_USAGE, reports_errors
from grader.frontends.commands.wanted import wanted_checks
from grader.frontends.gradescope.folders import Folders
from grader.frontends.gradescope.run import ContainerRun, Options, run
from grader.model import TIERS
from grader.readers.texts import plain
from grader.reports import terminal

FOLDER = "/autograder"


@click.command("gradescope")
@click.option("--autograder", type=click.Path(path_type=Path), default=Path(FOLDER),
              metavar="DIR", show_default=True, help="The platform's folder.")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: DIR/source/assignment/rubric.yaml).")  # fmt: skip
@click.option("--tier", type=click.Choice(TIERS), default="mini", show_default=True,
              help="Use generated data sets (mini) or the homework's own (full).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
              help="The folder with the homework's own data (default: GRADER_DATA).")  # fmt: skip
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    help="Grade only this question or check; may be repeated.",
)
@reports_errors
def gradescope_command(
    autograder: Path, rubric: Path | None, tier: Any, data: Path | None, only: Sequence[str]
) -> None:
    """Grade DIR/submission on Gradescope and write DIR/results/results.json.

    The output is for the instructor. GRADER_TIME_BUDGET_S (default 540) and GRADER_MEMORY_MB set
    the time and memory it may use, GRADER_ISOLATION (full or partial) the isolation it requires.

    Exit status: 0 graded; 2 or 3 the grade is withheld, and results.json has no score.
    """
    if not autograder.is_dir():
        raise UsageError(f"--autograder {autograder}: no such folder")
    if tier == "full" and data is None:
        raise UsageError("--tier full needs the homework's data: --data DIR or GRADER_DATA")
    places = Folders(autograder)
    file = rubric or places.rubric
    wanted = None
    if only:
        with suppress(RubricError):  # running says so, and withholds the grade
            wanted = wanted_checks(load_rubric(file, KINDS, run_reference=False), only)
    options = Options(file, tier, data.resolve() if data else None, wanted)
    outcome = run(places, options, os.environ)
    _tell(outcome)
    if not outcome.graded:
        sys.exit(EXIT_BROKEN if outcome.made is not None else EXIT_USAGE)


def _tell(outcome: ContainerRun) -> None:
    """Print what the instructor should know; the platform hides it from students."""
    if outcome.made is not None:
        terminal.console().print(terminal.report(outcome.made))
        found = ", ".join(outcome.made.isolation)
        click.echo(f"isolation: {terminal.clean(found) or 'no worker was needed'}")
    for line in outcome.why:
        click.echo(terminal.clean(line))
    click.echo(f"seconds: {outcome.results['execution_time']:g}")
    if outcome.graded:
        click.echo(f"score: {plain(outcome.results['score'])}")
    else:
        click.echo("THE GRADE IS WITHHELD: results.json has no score; see the lines above")
