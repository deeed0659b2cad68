"""``grader replay``: a check once more, with the two numbers that its report names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader import extras
from grader.errors import UsageError
from grader.frontends.commands.check import refuse_options
from grader.frontends.commands.exit_status import reports_errors
from grader.frontends.commands.options import (
    ForStudentsToo,
    bundle_of,
    isolation_options,
    secret_option,
)
from grader.model import DEVICES
from grader.reports.stored import REPORT

# Options without effect on a recorded check.
OF_REPORTS = ("submission", "rubric", "data", "device", "seed_file", "isolation", "unsafe")


@click.command("replay", cls=ForStudentsToo, for_graders=OF_REPORTS)
@click.argument("report", type=click.Path(path_type=Path), metavar="REPORT")
@click.argument("check", metavar="CHECK")
@click.option("--case", type=click.IntRange(min=1), metavar="N",
              help="The number of the case (default: the one that the report names).")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write the inputs, the values and a script without the grader.")  # fmt: skip
@click.option("--submission", type=click.Path(path_type=Path), metavar="PATH",
              help="What was handed in (default: where it was when it was graded).")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: rubric.yaml here or in a folder above).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
              help="The folder with the homework's own data (default: GRADER_DATA).")  # fmt: skip
@click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
              help="Where training runs; without a GPU, cuda means cpu.")  # fmt: skip
@secret_option
@isolation_options
@reports_errors
def replay_command(
    report: Path,
    check: str,
    case: int | None,
    out: Path | None,
    submission: Path | None,
    rubric: Path | None,
    data: Path | None,
    device: Any,
    seed_file: Path | None,
    *,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Run CHECK again and show the values that are wrong.

    REPORT is a report.json or its folder. The inputs are drawn again as they were, so the numbers
    are those of the report. Exit status 1: this run finds something else than the report says.

    In the homework's archive, REPORT is the folder with your work, such as . (this folder), and the
    inputs are the recorded ones. Exit status 1: something is wrong.
    """
    if (home := bundle_of(report)) is not None and not is_report(report):
        from grader.frontends.commands.replay_home import replay_at_home

        refuse_options(OF_REPORTS)
        replay_at_home(home, report, check, case, out)
        return
    if absent := extras.absent():
        raise UsageError(f"replay of a report {extras.needs(absent)}; {extras.REMEDY}")
    from grader.frontends.commands.replay_report import ReplayOptions, replay_of_report

    options = ReplayOptions(submission, rubric, data, device, seed_file, isolation, unsafe)
    replay_of_report(report, check, case, out, options)


def is_report(path: Path) -> bool:
    """Say whether a path is that of a report, or of its folder."""
    return path.is_file() or (path / REPORT).is_file()
