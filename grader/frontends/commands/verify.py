"""``grader verify``: the example submissions and their claims."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from grader.assignment.examples import assembled, claim_checks, load_examples, matching, table
from grader.assignment.rubric import load_rubric
from grader.assignment.siblings import (
    Cell,
    cells,
    crossed,
    handed_in,
    load_families,
    matching_families,
    tables,
)
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.exit_status import (
    EXIT_BROKEN,
    EXIT_FAILURES,
    print_broken,
    reports_errors,
)
from grader.frontends.commands.mutants import verify_mutants
from grader.frontends.commands.options import (
    Seed,
    demand,
    find_rubric,
    grading_options,
    isolation_options,
    read_settings,
)
from grader.frontends.commands.out_folder import check_writable
from grader.frontends.commands.rewrites import verify_rewrites
from grader.job import Job
from grader.reports import overview, terminal
from grader.reports.report import Report
from grader.run import batch
from grader.run.progress import follow


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[EXAMPLE]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="The folder for reports (default: write none).")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Grade N submissions at a time (default: one per core).")  # fmt: skip
@click.option("--confusion-matrix", is_flag=True,
              help="Hand in right solutions for all questions of their family.")  # fmt: skip
@click.option("--mutants", is_flag=True,
              help="Grade right programs with one change each: which does nobody see?")  # fmt: skip
@click.option("--rewrites", is_flag=True,
              help="Grade right programs in other words: none may lose a point.")  # fmt: skip
@click.option("--pairs", is_flag=True, help="With --mutants: two changes each.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N",
              help="With --mutants or --rewrites: so many, at random.")  # fmt: skip
@click.option("--sample-seed", type=click.IntRange(min=0), default=0, metavar="S",
              show_default=True, help="What the sample is drawn with.")  # fmt: skip
@grading_options
@isolation_options
@reports_errors
def verify_command(
    names: Sequence[str],
    out: Path | None,
    jobs: int | None,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: Seed,
    device: Any,
    *,
    confusion_matrix: bool,
    mutants: bool,
    rewrites: bool,
    pairs: bool,
    sample: int | None,
    sample_seed: int,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Grade the assignment's example submissions and compare the scores with their claims.

    EXAMPLE is a pattern such as wrong/rnn_* and limits the run to the examples it matches; with
    --confusion-matrix, to the families that have a check of which it matches the id, and with
    --mutants or --rewrites to the right programs, of which one is called reference.
    """
    if confusion_matrix + mutants + rewrites > 1:
        raise UsageError("--confusion-matrix, --mutants and --rewrites: choose one of them")
    _refuse_idle(pairs and not mutants, sample is not None and not (mutants or rewrites))
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    families = matching_families(load_families(loaded), names) if confusion_matrix else []
    changes = confusion_matrix or mutants or rewrites
    examples = [] if changes else matching(load_examples(loaded), names)
    if out is not None:
        check_writable(out)
    settings = demand(read_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    job = Job(loaded, settings, out)
    if rewrites:
        verify_rewrites(job, names, jobs or batch.cores(), sample, sample_seed)
        return
    if mutants:
        verify_mutants(job, names, jobs or batch.cores(), sample, sample_seed, pairs=pairs)
        return
    if confusion_matrix:
        print_matrix(job, cells(families), jobs or batch.cores())
        return
    with assembled(examples) as submitted:
        reports = follow(batch.run(job, submitted, jobs or batch.cores()), submitted)
    found = claim_checks(examples, reports)
    if out is not None:
        overview.write(out, loaded, reports, always=True)
    screen = terminal.console()
    screen.print(table(found))
    wrong = [verdict for verdict in found if verdict.problems]
    for verdict in wrong:
        for problem in verdict.problems:
            click.echo(terminal.clean(f"{verdict.example.name}: {problem}"), err=True)
    click.echo(f"{len(found) - len(wrong)} of {len(found)} examples score as they claim")
    if out is not None:
        click.echo(f"reports: {out}/index.html, {out}/gradebook.csv, {out}/<example>/report.json")
    end(reports, has_failed=bool(wrong))


def _refuse_idle(*idle: bool) -> None:
    if any(idle):
        raise UsageError("--pairs needs --mutants, and --sample needs --mutants or --rewrites")


def print_matrix(job: Job, wanted: Sequence[Cell], jobs: int) -> None:
    """Grade solutions for the questions of others; print a matrix per family and what is wrong."""
    with handed_in(job.rubric, wanted) as submitted:
        reports = follow(batch.run(job, submitted, jobs), submitted)
    if job.out is not None:
        overview.write(job.out, job.rubric, reports, always=True)
    if any(made.status == "broken" for made in reports):
        end(reports, has_failed=True)
    found = crossed(job.rubric, wanted, reports)
    screen = terminal.console()
    for made in tables(found):
        screen.print(made)
    wrong = [one.problem for one in found if one.problem]
    for problem in wrong:
        click.echo(terminal.clean(problem), err=True)
    click.echo(f"{len(found) - len(wrong)} of {len(found)} cells are as they must be")
    end(reports, has_failed=bool(wrong))


def end(reports: Sequence[Report], *, has_failed: bool) -> None:
    """Leave with the status that says how it went."""
    if any(made.status == "broken" for made in reports):
        print_broken(reports)
        sys.exit(EXIT_BROKEN)
    if has_failed:
        sys.exit(EXIT_FAILURES)
