"""``grader merge``: puts the reports of a class together that was graded in shards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.progress import track

from grader.deliver import merging
from grader.deliver.merging import Merged
from grader.errors import UsageError
from grader.frontends.commands.exit_status import (
    EXIT_FAILURES,
    end_as_graded,
    print_broken,
    reports_errors,
)
from grader.frontends.commands.out_folder import check_writable
from grader.readers.texts import counted
from grader.reports import origins, overview, terminal

MAX_NAMED = 8  # shards or submissions named in one message


@click.command("merge")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path),
                metavar="DIR...")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="The folder for the reports of the whole class.")  # fmt: skip
@click.option("--discard-marks", is_flag=True,
              help="Overwrite reports that hold a person's marks.")  # fmt: skip
@reports_errors
def merge_command(folders: Sequence[Path], out: Path, *, discard_marks: bool) -> None:
    """Put together the reports of a class that was graded in shards.

    Each DIR is an --out folder of grader grade --shard K/N, or holds these folders. Exit status: 0
    the class is complete, 1 shards or reports are missing or contested, 2 the shards do not belong
    together (nothing is written), 3 a report is broken.
    """
    made = merging.gather(folders)
    if out.resolve() in {one.folder.parent.resolve() for one in made.found.values()}:
        raise UsageError(f"--out {out}: holds one of the shards; name another DIR")
    lost, kept = merging.marks_in_the_way(out, made)
    if discard_marks:
        kept = set()
    else:
        overview.marks_lost(out, lost, "merge")
    origins.check(out, made.sources)
    check_writable(out)
    origins.keep(out, made.sources)
    copied = merging.copy(out, made, kept)
    screen = terminal.console(stderr=True)
    total = len(made.found)
    for _name in track(
        copied, "merging", total, console=screen, transient=True, disable=not screen.is_terminal
    ):
        pass
    reports, problems = merging.list_all(out, made, kept)
    for problem in problems:
        click.echo(terminal.clean(f"note: not listed: {problem}"), err=True)
    _tell(out, made, len(reports), len(kept))
    print_broken(reports)
    left = _tell_left(made)
    end_as_graded(reports)
    if left:
        sys.exit(EXIT_FAILURES)


def _tell(out: Path, made: Merged, count: int, kept: int) -> None:
    of = made.first.of
    done = of - len(made.missing)
    click.echo(f"{counted(count, 'report')} of {done} of {counted(of, 'shard')} merged")
    if kept:
        click.echo(f"{counted(kept, 'report')} with a person's marks left unchanged")
    click.echo(f"overview: {out / overview.INDEX}, {out / overview.GRADEBOOK}")


def _tell_left(made: Merged) -> bool:
    """Say what is missing; return whether anything is."""
    if made.missing:
        named = _some([str(place) for place in made.missing])
        click.echo(f"missing: {counted(len(made.missing), 'shard')}: {named}", err=True)
    for shard, names in made.unfinished.items():
        text = f"missing: {shard}: {counted(len(names), 'report')}: {_some(names)}"
        click.echo(terminal.clean(f"{text}; grade this shard again to go on"), err=True)
    return bool(made.missing or made.unfinished)


def _some(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
