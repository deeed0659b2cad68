"""``grader calibrate``: do the tolerances and thresholds keep right and wrong programs apart?"""

from __future__ import annotations

import fnmatch
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from grader.assignment.rubric import load_rubric
from grader.calibration import calibration_page, proposals
from grader.calibration.calibration_page import spread
from grader.calibration.kept_runs import KeptRuns, MeasuredRun, metric_of
from grader.calibration.margins import Margins, margins_of
from grader.calibration.measuring import (
    Measuring,
    calibrated,
    is_of_training,
    is_of_values,
    told_apart,
)
from grader.calibration.proposals import RubricChange
from grader.calibration.thresholds import Repeats, Threshold, distributions
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_FAILURES, reports_errors
from grader.frontends.commands.options import (
    Seed,
    demand,
    find_rubric,
    grading_options,
    isolation_options,
    read_settings,
)
from grader.frontends.commands.out_folder import check_writable
from grader.job import Job
from grader.model import CheckSpec, Tier
from grader.reports import terminal
from grader.reports.files import write_text
from grader.run import batch

FOLDER = "calibration"
EXTRA = "pip install 'dl-grader[calibrate]'"


@click.command("calibrate")
@click.argument("names", nargs=-1, metavar="[CHECK]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", default=Path(FOLDER),
              show_default=True,
              help="The folder for the page, its pictures and the runs.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Grade N submissions at a time (default: one per core).")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", default=30, show_default=True,
              help="Run each program on N seeds; those that are kept count.")  # fmt: skip
@click.option("--changed", type=click.IntRange(min=0), metavar="N", default=30,
              show_default=True,
              help="For each check of values, so many mutants and rewrites.")  # fmt: skip
@click.option("--example", "patterns", multiple=True, metavar="PATTERN",
              help="Run only these examples, such as full_marks/* (repeatable).")  # fmt: skip
@click.option("--sample-seed", type=click.IntRange(min=0), default=0, metavar="S",
              show_default=True, help="What these are drawn with.")  # fmt: skip
@click.option("--write", is_flag=True, help="Change the rubric as proposed; comments stay.")
@grading_options
@isolation_options
@reports_errors
def calibrate_command(
    names: Sequence[str],
    out: Path,
    jobs: int | None,
    seeds: int,
    changed: int,
    patterns: Sequence[str],
    sample_seed: int,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: Seed,
    device: Any,
    *,
    write: bool,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Measure how far right and wrong programs are from each tolerance and threshold.

    CHECK is the id of a check, or a pattern such as q3.*. Checks of values: the largest difference
    of right programs and the smallest of wrong ones, as shares of the tolerance. Training checks:
    the metric over many seeds, and how often a right program may miss full points. Runs are kept
    in DIR/runs.jsonl. Exit status 1: the rubric should change.
    """
    if find_spec("scipy") is None:
        raise UsageError(f"calibrate needs scipy, which is not installed: {EXTRA}")
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    checks = _chosen(calibrated(loaded), names)
    check_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    settings = demand(read_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    measuring = Measuring(Job(loaded, settings, None), checks, KeptRuns(out), jobs or batch.cores())
    first = settings.public_seed(loaded)
    every = [first + number for number in range(seeds)]
    runs = measuring.examples(every, patterns) + measuring.changed(every, changed, sample_seed)
    by_check: dict[str, list[MeasuredRun]] = defaultdict(list)
    for run in told_apart(runs, checks):
        by_check[run.check].append(run)
    found = [margins_of(c, by_check[c]) for c, spec in checks.items() if is_of_values(spec)]
    margins = [one for one in found if one is not None]
    thresholds = [
        _threshold(spec, by_check[check], settings.tier)
        for check, spec in checks.items()
        if is_of_training(spec)
    ]
    changes = [c for one in margins for c in proposals.of_tolerances(checks[one.check], one)]
    changes += [c for one in thresholds for c in proposals.of_threshold(one, settings.tier)]
    _print(margins, thresholds, changes)
    page = calibration_page.write(out, margins, thresholds, changes)
    click.echo(terminal.clean(f"tables and plots: {page}"))
    if write and changes:
        write_text(loaded.path, proposals.written(loaded.path, changes))
        click.echo(terminal.clean(f"changed: {loaded.path}"))
    elif changes:
        sys.exit(EXIT_FAILURES)


def _chosen(checks: dict[str, CheckSpec], names: Sequence[str]) -> dict[str, CheckSpec]:
    """Return the checks that match.

    Raises:
        UsageError: a pattern matches none.
    """
    for name in names:
        if not any(fnmatch.fnmatchcase(check, name) for check in checks):
            known = ", ".join(checks) or "none"
            raise UsageError(f"{name}: no such check of values or of training (there are {known})")
    return {
        check: spec
        for check, spec in checks.items()
        if not names or any(fnmatch.fnmatchcase(check, name) for name in names)
    }


def _threshold(spec: Any, runs: Sequence[MeasuredRun], tier: Tier) -> Threshold:
    limits = spec.tiers.of(tier)
    rises = limits.full_at > limits.zero_at
    return Threshold(
        spec.id,
        str(metric_of(spec)),
        limits.zero_at,
        limits.full_at,
        Repeats(getattr(spec, "near_miss", 0.0), getattr(spec, "extra_seeds", 0)),
        tuple(distributions(runs, "right", rises=rises)),
        tuple(distributions(runs, "wrong", rises=rises)),
    )


def _print(
    margins: Sequence[Margins], thresholds: Sequence[Threshold], changes: Sequence[RubricChange]
) -> None:
    screen = terminal.console()
    if margins:
        table = _table("check", "right programs", "largest", "wrong programs", "smallest", "")
        for one in margins:
            table.add_row(
                *(one.check, str(one.right), f"{one.largest:.2g}", str(one.wrong)),
                *(f"{one.smallest:.2g}", one.verdict),
            )
        screen.print(table)
    if thresholds:
        table = _table("check", "full from", "worst program", "seeds", "metric", "missed", "")
        for found in thresholds:
            worst = found.measured[:1]
            table.add_row(
                *(found.check, f"{found.full_at:g}", *(one.program for one in worst)),
                *(str(len(one.values)) for one in worst),
                *(spread(one) for one in worst),
                *(f"{found.missed(one):.2g}" for one in worst),
                *([] if worst else [""] * 4),
                found.verdict,
            )
        screen.print(table)
    for change in changes:
        click.echo(terminal.clean(str(change)))
    if not changes:
        known = all(found.measured for found in thresholds)
        click.echo(
            "no change of the rubric is needed"
            if known
            else "too few runs to say whether the rubric must change; use more seeds (--seeds)"
        )


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head in ("check", "metric"))
    return table
