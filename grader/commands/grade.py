"""``grader grade``: submissions in, reports out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from grader import batch, submission
from grader.commands.common import (
    EXIT_BROKEN,
    demand,
    find_rubric,
    isolated,
    read_settings,
    shared,
    tell_broken,
    told,
    wanted_checks,
    writable,
)
from grader.grading import Job, Work
from grader.progress import follow
from grader.reports import gradebook, html, terminal
from grader.rubric import load_rubric


@click.command()
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Where the reports go: DIR/<submission>/report.json and more.")  # fmt: skip
@click.option("--only", multiple=True, metavar="ID", help="A question or check; may be repeated.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Submissions graded at a time (default: one per core).")  # fmt: skip
@shared
@isolated
@told
def grade(
    submissions: Sequence[Path],
    out: Path,
    only: Sequence[str],
    jobs: int | None,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: int | None,
    device: Any,
    *,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Grade SUBMISSIONS: folders, .zip or .tar.gz files, folders of these, or a class's zip."""
    loaded = load_rubric(find_rubric(rubric, Path.cwd()))
    settings = demand(read_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    wanted = wanted_checks(loaded, only)
    modules = [name for question in loaded.questions for name in question.modules]
    with submission.Classes() as classes:
        work = [Work(*found, wanted) for found in submission.find(submissions, modules, classes)]
        writable(out)
        events = batch.run(Job(loaded, settings, out), work, jobs or batch.cores())
        reports = follow(events, work)
    if len(reports) > 1:
        reports.sort(key=lambda made: str(made["submission"]["id"]))
        gradebook.write(out / "gradebook.csv", loaded, reports)
        html.write_index(out / "index.html", reports)
    _tell(reports, out)
    if any(made["status"] == "broken" for made in reports):
        sys.exit(EXIT_BROKEN)


def _tell(reports: Sequence[dict[str, Any]], out: Path) -> None:
    screen = terminal.console()
    isolation: list[str] = next((made["isolation"] for made in reports if made["isolation"]), [])
    told = f"isolation: {', '.join(isolation) or 'no worker was needed'}"
    if len(reports) == 1:
        screen.print(terminal.report(reports[0]))
        identifier = reports[0]["submission"]["id"]
        click.echo(told)
        click.echo(f"report: {out / identifier / 'report.html'} (and report.json)")
    else:
        screen.print(terminal.summary(reports))
        click.echo(told)
        click.echo(f"{len(reports)} submissions graded; reports: {out}/<submission>/report.json")
        click.echo(f"overview: {out / 'index.html'}, {out / 'gradebook.csv'}")
    tell_broken(reports)
