"""``grader check``: lets a student run the visible checks.

In a student's bundle, and on systems without fork servers, the checks run in plain processes; with
a whole rubric on Linux they run as in grading.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
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
from grader.frontends.commands.options import (
    ForStudentsToo,
    Seed,
    bundle_of,
    find_rubric,
    grading_options,
    read_settings,
)
from grader.frontends.commands.wanted import wanted_checks, wanted_of
from grader.frontends.student import screen
from grader.frontends.student.look import Chosen, HomeJob, chosen
from grader.frontends.student.replay import Bundle, load
from grader.intake.places import is_meant
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
    if only and Path(only[0]).is_file():
        folder, file = Path(only[0]).parent, Path(only.pop(0)).name
    elif only and (Path(only[0]).is_dir() or "/" in only[0] or os.sep in only[0]):
        folder = Path(only.pop(0))
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    home = bundle_of(folder) if rubric is None else None
    if home is not None:
        refuse_options(FOR_GRADERS)
        _check_recorded(load(home), folder, only, file, watch=watch)
        return
    from grader.assignment.reference import Assignment
    from grader.assignment.rubric import load_rubric

    loaded = load_rubric(find_rubric(rubric, folder.resolve()), KINDS)
    wanted = _visible(loaded, only)
    wanted = wanted if only else _of_file(loaded, wanted, file)
    # It is the student's own machine: any isolation is enough.
    settings = replace(read_settings(tier, data, seed, device), isolation="none")
    if watch or not _grades_here():
        assignment = Assignment(loaded.reference)
        supplied = {file.name: file for question in loaded.questions for file in question.supplied}
        checks = chosen(loaded, wanted)
        files = tuple(supplied.values())
        job = HomeJob(loaded, assignment, folder, checks, settings, supplied=files)
        _run(job, list, watch=watch)
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


def _visible(rubric: Rubric, only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the wanted checks that are visible."""
    checks = [check for question in rubric.questions for check in question.checks]
    visible = {check.id for check in checks if check.visibility == "visible"}
    wanted = wanted_checks(rubric, only) & visible
    if not wanted:
        raise UsageError(f"{', '.join(only)}: hidden checks cannot run here")
    return wanted


def _of_file(rubric: Rubric, wanted: frozenset[str], file: str) -> frozenset[str]:
    """Return which of the wanted checks are about a file of code; all if none is."""
    found = frozenset(
        check.id
        for question in rubric.questions
        for check in question.checks
        if check.id in wanted and is_meant(file, check.module or question.module)
    )
    return found or wanted


def _check_recorded(
    bundle: Bundle, folder: Path, only: Sequence[str], file: str, *, watch: bool
) -> None:
    """Run recorded checks on the files in ``folder``; unless some are named, those of ``file``."""
    wanted = wanted_of(bundle.ids, only)
    wanted = wanted if only else _of_file(bundle.rubric(wanted), wanted, file)
    rubric = bundle.rubric(wanted)
    checks = chosen(rubric, wanted)
    if not checks:
        raise UsageError(f"{', '.join(only)}: only your instructor's grader can run this check")
    elsewhere = [one.id for one in bundle.elsewhere if one.id in wanted]

    def more() -> list[str]:
        text = f"only your instructor's grader can run {', '.join(elsewhere)}"
        return [*bundle.notes(bundle.home), *([text] if elsewhere else [])]

    settings = Settings(isolation="none", locked=False)
    assignment = bundle.assignment(rubric)
    about = bundle.asked, bundle.supplied
    _run(HomeJob(rubric, assignment, folder, checks, settings, *about), more, watch=watch)


def _run(job: HomeJob, more: Callable[[], list[str]], *, watch: bool) -> None:
    """Run checks once or repeatedly; ``more`` returns notes about the folder."""
    if watch:
        from grader.frontends.student import watch as watching

        watching.follow(job, lambda checks: _shown(job, checks, more))
        return
    results = _shown(job, job.checks, more)
    outcomes = {result.outcome for result in results}
    if "broken" in outcomes:
        sys.exit(EXIT_BROKEN)
    if outcomes - ALL_RIGHT:
        sys.exit(EXIT_FAILURES)


def _shown(
    job: HomeJob, checks: Sequence[Chosen], more: Callable[[], list[str]]
) -> list[CheckResult]:
    """Run checks; print each result as it comes, then notes and a summary."""
    console = terminal.console()
    results: list[CheckResult] = []
    told: list[str] = []
    for result in job.run(checks, told.append):
        console.print(*screen.lines(result, results), sep="\n")
        results.append(result)
    console.print(*screen.notes(results, [*told, *more()]), screen.total(results), sep="\n")
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
