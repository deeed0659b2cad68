"""``grader check``: lets a student run the visible checks.

In a student's bundle, and on systems without fork servers, the checks run in plain processes; with
a whole rubric on Linux they run as in grading.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from grader import extras
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.exit_status import (
    EXIT_BROKEN,
    EXIT_FAILURES,
    print_broken,
    reports_errors,
)
from grader.frontends.commands.home_checks import HomeChecks, of_rubric, recorded, visible
from grader.frontends.commands.options import (
    ForStudentsToo,
    Seed,
    bundle_of,
    find_rubric,
    grading_options,
    read_settings,
)
from grader.frontends.student import screen
from grader.frontends.student.look import Chosen
from grader.frontends.student.replay import load
from grader.job import Settings
from grader.model import CheckResult, Rubric
from grader.reports import terminal

ALL_RIGHT = frozenset(["passed", "pending"])
FOR_GRADERS = ("rubric", "tier", "data", "seed", "device")  # options without effect in a bundle


@click.command(cls=ForStudentsToo, for_graders=FOR_GRADERS)
@click.argument("arguments", nargs=-1, metavar="[DIR] [ID]...")
@grading_options
@click.option("--watch", is_flag=True,
              help="Check again whenever you save a file, until Ctrl-C.")  # fmt: skip
@reports_errors
def check(
    arguments: Sequence[str],
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: Seed,
    device: Any,
    *,
    watch: bool,
) -> None:
    """Check your work in DIR (default: this folder): all visible checks, or only those with ID.

    An ID is a question (q3) or a check (q3.1). In place of DIR, a module (rnn_layers.py) names the
    checks of its functions. Exit status: 0 all checks pass, 1 some do not.
    """
    folder, only, file = Path(), list(arguments), ""
    if named := next((one for one in only if Path(one).is_file()), ""):
        only.remove(named)
        folder, file = Path(named).parent, Path(named).name
    elif only and (Path(only[0]).is_dir() or "/" in only[0] or os.sep in only[0]):
        folder = Path(only.pop(0))
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    home = bundle_of(folder) if rubric is None else None
    if home is not None:
        refuse_options(FOR_GRADERS)
        _run(recorded(load(home), folder, only, file), watch=watch)
        return
    from grader.assignment.reference import Assignment
    from grader.assignment.rubric import load_rubric

    loaded = load_rubric(find_rubric(rubric, folder.resolve()), KINDS)
    wanted = visible(loaded, only, file)
    # It is the student's own machine: any isolation is enough.
    settings = replace(read_settings(tier, data, seed, device), isolation="none")
    if watch or not _grades_here():
        _run(of_rubric(loaded, Assignment(loaded.reference), folder, wanted, settings), watch=watch)
    else:
        _check_as_graded(loaded, settings, folder, wanted)


def _grades_here() -> bool:
    """Say whether checks can run as when they are graded: fork servers, and the extra for it."""
    return sys.platform == "linux" and not extras.absent()


def refuse_options(names: Sequence[str]) -> None:
    """Refuse options of the command that is running.

    Raises:
        UsageError: one of these parameters stands on the command line.
    """
    context = click.get_current_context()
    for one in context.command.params:
        given = one.name in names and context.get_parameter_source(str(one.name))
        if given is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"{one.opts[0]}: cannot be used with recorded checks")


def _run(work: HomeChecks, *, watch: bool) -> None:
    """Run checks once, or again and again."""
    if watch:
        from grader.frontends.student import watch as watching

        watching.follow(work.job, lambda checks: _shown(work, checks))
        return
    results = _shown(work, work.job.checks)
    outcomes = {result.outcome for result in results}
    if "broken" in outcomes:
        sys.exit(EXIT_BROKEN)
    if outcomes - ALL_RIGHT:
        sys.exit(EXIT_FAILURES)


def _shown(work: HomeChecks, checks: Sequence[Chosen]) -> list[CheckResult]:
    """Run checks; print each result as it comes, then notes and a summary."""
    console = terminal.console()
    results: list[CheckResult] = []
    told: list[str] = []
    for result in work.job.run(checks, told.append):
        console.print(*screen.lines(result, results), sep="\n")
        results.append(result)
    notes = screen.notes(results, [*told, *work.more()])
    console.print(*notes, screen.total(results), sep="\n")
    return results


def _check_as_graded(
    rubric: Rubric, settings: Settings, folder: Path, wanted: frozenset[str]
) -> None:
    """Run checks in locked workers."""
    from grader.job import Job, Submitted
    from grader.run import batch
    from grader.run.progress import follow

    job = Job(rubric, settings, None)
    submitted = [Submitted("submission", folder, wanted)]
    (made,) = follow(batch.run(job, submitted, 1), submitted)
    terminal.console().print(terminal.report(made, visible_only=True))
    if made.status == "broken":
        print_broken([made])
        sys.exit(EXIT_BROKEN)
    if {check.outcome for check in made.checks()} - ALL_RIGHT:
        sys.exit(EXIT_FAILURES)
