"""``grader grade``: submissions in, reports out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError
from grader.frontends import interrupts
from grader.frontends.commands.exit_status import (
    EXIT_INTERRUPTED,
    end_as_graded,
    print_broken,
    reports_errors,
)
from grader.frontends.commands.late_options import late_options
from grader.frontends.commands.options import (
    FiniteRange,
    Seed,
    ShardType,
    demand,
    find_rubric,
    grading_options,
    isolation_options,
    read_settings,
    refuse_both,
    secret_option,
    warn_of_public_seed,
    with_secret,
)
from grader.frontends.commands.out_folder import check_apart, check_writable
from grader.frontends.commands.wanted import wanted_checks
from grader.frontends.time_limit import WithinBudget
from grader.intake import submission
from grader.intake.staging import remove_stale
from grader.intake.wanted import asked_by
from grader.job import Job, Submitted
from grader.readers.texts import counted
from grader.reports import origins, overview, shards, terminal, terminal_class
from grader.reports.report import CheckReport, Report
from grader.reports.shards import GradedWith, Shard, ShardNote
from grader.run import batch, late_days, resuming
from grader.run.basis import basis_of
from grader.run.batch import Event
from grader.run.graded_with import graded_with
from grader.run.late_days import Told
from grader.run.progress import follow


@dataclass
class _Run:
    """A run of ``grader grade``: what it was given, what of that is to be graded, what is done."""

    job: Job
    out: Path
    given: list[Submitted] = field(default_factory=list)
    plan: resuming.Remaining = field(default_factory=resuming.Remaining)
    reports: list[Report] = field(default_factory=list)

    @property
    def identifiers(self) -> list[str]:
        """All submissions of the run."""
        return [each.identifier for each in self.given]


@click.command()
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), metavar="DIR",
              show_default=True,
              help="The folder for reports: DIR/<submission>/report.json and more.")  # fmt: skip
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    help="Grade only this question or check; may be repeated.",
)
@click.option("--shard", type=ShardType(), metavar="K/N",
              help="Grade part K of N of the class only; see grader merge.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Grade N submissions at a time (default: one per core).")  # fmt: skip
@click.option("--dask", metavar="ADDRESS",
              help="Grade on the workers of the dask scheduler at ADDRESS.")  # fmt: skip
@click.option("--budget", type=FiniteRange(min=0, min_open=True), metavar="SECONDS",
              help="The time for each submission (default: the rubric's).")  # fmt: skip
@click.option("--discard-marks", is_flag=True,
              help="Run checks again that a person has marked.")  # fmt: skip
@click.option("--force", is_flag=True,
              help="Grade all again, also what has not changed since.")  # fmt: skip
@click.option("--retry-broken", is_flag=True,
              help="Run checks again that the grader itself failed in.")  # fmt: skip
@late_options
@click.option("--max-class-gb", type=FiniteRange(min=0, min_open=True), default=16.0,
              metavar="N", show_default=True,
              help="The most that archives with a class may hold, unpacked, in GiB.")  # fmt: skip
@grading_options
@secret_option
@isolation_options
@reports_errors
def grade(
    submissions: Sequence[Path],
    out: Path,
    only: Sequence[str],
    shard: Shard | None,
    jobs: int | None,
    dask: str | None,
    budget: float | None,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: Seed,
    seed_file: Path | None,
    device: Any,
    *,
    discard_marks: bool,
    force: bool,
    retry_broken: bool,
    max_class_gb: float,
    told: Told,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Grade SUBMISSIONS: folders, archives, files of code, folders of these, or a class's zip.

    What DIR has already is graded again only if the submission, the rubric or something else that
    the grade depends on has changed: after an interruption, repeat the command.
    """
    if dask is not None:
        _cluster().distributed_or_refuse()
    refuse_both("jobs", "dask")
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    settings = demand(read_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    settings = with_secret(settings, loaded, seed, seed_file)
    wanted = wanted_checks(loaded, only)
    bases = basis_of(loaded, settings)
    ground = graded_with(loaded, settings, bases)
    total_s = loaded.whole_s if budget is None else budget
    steering_of = partial(WithinBudget, loaded, total_s=total_s)
    job = Job(
        *(loaded, settings, out),
        steering_of=steering_of,
        bases=bases.checks,
        may_split=budget is None,  # which is one clock for all checks of a submission
    )
    run = _Run(job, out)
    with submission.Classes(int(max_class_gb * 2**30)) as classes:
        try:
            modules, texts = asked_by(loaded)
            # The order decides which of two with one name gets a number: it is every machine's.
            named = submissions if shard is None else sorted(submissions)
            found = submission.find(named, list(modules), classes, texts)
            ids = [identifier for identifier, _path in found]
            members = frozenset(ids) if shard is None else shard.members(ids)
            for note in classes.notes:
                click.echo(terminal.clean(f"note: {note}"), err=True)
            for identifier, path in ((one, path) for one, path in found if one in members):
                contested = classes.contested.get(identifier, "")
                basis = bases.of_submission(path, contested)
                run.given.append(Submitted(identifier, path, wanted, contested, basis))
            lists = _frame(run, told, found)
            warn_of_public_seed(settings, loaded, len(found))
            check_apart(out, submissions, run.identifiers)
            check_writable(out)
            if shard is not None:
                told_as = ground.model_copy(update={"lists": lists})
                _note_shard(out, shard, ids, wanted, told_as)
            again = partial(
                _again,
                forced=wanted if force else frozenset(),
                retry_broken=retry_broken,
                discard_marks=discard_marks,
            )
            run.plan = resuming.plan(loaded, out, run.given, bases.checks, again)
            if not discard_marks:
                overview.marks_lost(out, run.plan.marked)
            run.reports = [*run.plan.unchanged]
            sources = {one: classes.sources[one] for one in run.identifiers}
            origins.check(out, sources)
            origins.keep(out, sources)
            if dask is None:
                _run(run, batch.run(run.job, run.plan.submitted, jobs or batch.cores()))
            else:
                client = _cluster()
                given = client.Given(run.job, ground, total_s, run.plan.submitted)
                _run(run, client.run(dask, given, partial(click.echo, err=True)))
        except KeyboardInterrupt:
            interrupts.ignore()
            _interrupted(run)


def _cluster() -> Any:
    """Return the room for clusters, which few runs need."""
    from grader.frontends.cluster import client

    return client


def _frame(run: _Run, told: Told, found: Sequence[tuple[str, submission.Origin]]) -> str:
    """Note of each submission how late it is and whose; return a digest of the tables."""
    earlier, replaced = resuming.with_frames(run.out, run.given)
    made = late_days.frames(run.job.rubric, told, found, earlier, replaced)
    for note in made.notes:
        click.echo(terminal.clean(f"note: {note}"), err=True)
    run.given = [replace(one, frame=made.frames[one.identifier]) for one in run.given]
    return made.digest


def _note_shard(
    out: Path, shard: Shard, ids: Sequence[str], wanted: frozenset[str], ground: GradedWith
) -> None:
    """Say how much of the class a shard is, and note it beside the reports."""
    shards.check(out, shard)
    note = ShardNote.about(shard, ids, wanted, ground)
    shards.keep(out, note)
    click.echo(shards.told(note), err=True)


def _again(
    check: CheckReport, *, forced: frozenset[str], retry_broken: bool, discard_marks: bool
) -> bool:
    """Say whether to run a check again that could stay as it is."""
    return (
        check.id in forced
        or (retry_broken and check.outcome == "broken")
        or (discard_marks and check.marked is not None)
    )


def _run(run: _Run, events: Generator[Event | None, None, None]) -> None:
    """Grade what is submitted, list it, and say how it went."""
    reports = run.reports
    if run.plan.submitted:
        with closing(events):
            follow(events, run.plan.submitted, reports)
    else:
        remove_stale()  # as grading does: one that was killed after its last report left a folder
    reports.sort(key=lambda made: made.id)
    listed, failed = _list(run)
    try:
        _tell(run, listed)
    finally:
        print_broken(reports)
    end_as_graded(reports, failed)


def _interrupted(run: _Run) -> NoReturn:
    """List what is graded, note what is left, and say how to go on."""
    out, reports = run.out, run.reports
    if not reports:
        click.echo("interrupted; no submission was graded", err=True)
        with contextlib.suppress(BrokenError):
            _list(run)  # an earlier run may have been killed before it listed its reports
        sys.exit(EXIT_INTERRUPTED)
    _listed, failed = _list(run, always=True)
    counts = f"{len(reports)} of {counted(len(run.given), 'submission')}"
    click.echo(f"interrupted; {counts} graded, and these reports are complete", err=True)
    if failed is not None:
        click.echo(terminal.clean(f"broken: {failed}"), err=True)
    else:
        text = f"overview: {out / 'index.html'}, {out / 'gradebook.csv'}"
        click.echo(terminal.clean(text), err=True)
    left = len(run.given) - len(reports)
    if failed is None and left > 0:
        click.echo(f"to grade the other {left}, run the same command again", err=True)
    sys.exit(EXIT_INTERRUPTED)


def _list(run: _Run, *, always: bool = False) -> tuple[int, BrokenError | None]:
    """Write the overview; return how many earlier reports are in it, and why it is not there."""
    rubric, reports = run.job.rubric, run.reports
    try:
        several = always or len(reports) > 1
        listed, problems = overview.write(run.out, rubric, reports, always=several)
    except BrokenError as error:
        return 0, error
    for problem in problems:
        click.echo(terminal.clean(f"note: not listed: {problem}"), err=True)
    return listed, None


def _tell(run: _Run, listed: int) -> None:
    out, reports, unchanged = run.out, run.reports, len(run.plan.unchanged)
    screen = terminal.console()
    isolation = next((made.isolation for made in reports if made.isolation), ())
    # The layers are in each report, and grader doctor explains them.
    told = f"isolation: {', '.join(isolation[:2]) or 'no worker was needed'}"
    if not run.given:
        return
    if len(reports) == 1:
        screen.print(terminal.report(reports[0]))
        identifier = reports[0].id
        click.echo(told)
        if (out / identifier / "report.html").is_file():
            click.echo(f"report: {out / identifier / 'report.html'} (and report.json)")
        if unchanged:
            click.echo("unchanged since it was graded; --force grades it again")
    else:
        screen.print(terminal_class.summary(reports))
        click.echo(told)
        done = f"{counted(len(reports) - unchanged, 'submission')} graded"
        done += f", {unchanged} unchanged (--force grades all again)" if unchanged else ""
        click.echo(f"{done}; reports: {out}/<submission>/report.json")
    if run.plan.broken:
        kept = counted(run.plan.broken, "broken check")
        click.echo(f"{kept} left as before; --retry-broken runs them again", err=True)
    if len(reports) > 1 or listed:
        more = f" (including {counted(listed, 'report')} of earlier runs)" if listed else ""
        click.echo(f"overview: {out / 'index.html'}, {out / 'gradebook.csv'}{more}")
