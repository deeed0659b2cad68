"""``grader similarity``: which hand-ins share code, side by side, for a person to judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.deliver.similarity import reading
from grader.deliver.similarity.pairs import Pair, SharedCode
from grader.frontends.commands.exit_status import reports_errors
from grader.frontends.commands.options import find_rubric
from grader.frontends.gradescope.bundle import template_name
from grader.readers.texts import counted
from grader.reports import html, terminal
from grader.reports.files import write_text

MAX_LISTED = 10  # pairs in the terminal


@click.command("similarity")
@click.argument("class_", type=click.Path(path_type=Path), metavar="CLASS")
@click.option("--earlier", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="The class of an earlier year; may be repeated.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("similarity.html"),
              show_default=True, metavar="FILE", help="The page to write.")  # fmt: skip
@click.option("--least", type=click.IntRange(1, 100), default=30, show_default=True,
              metavar="PERCENT", help="Show pairs that share so much of their code.")  # fmt: skip
@click.option("--pairs", "most", type=click.IntRange(1, 500), default=30, show_default=True,
              metavar="N", help="Show at most N pairs.")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: rubric.yaml here or above).")  # fmt: skip
@reports_errors
def similarity_command(
    class_: Path, earlier: Sequence[Path], out: Path, least: int, most: int, rubric: Path | None
) -> None:
    """Show which hand-ins of CLASS share code: a hint for a person, never part of a score.

    CLASS is what grader grade takes. Code of the template and supplied files does not count, nor
    what much of the class has in common; new names, comments and formatting make no difference.
    """
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    template = loaded.path.resolve().parent / template_name(loaded.path)
    here = reading.programs(class_, loaded)
    before = [one for path in earlier for one in reading.programs(path, loaded, earlier=True)]
    compared = SharedCode([*here, *before], reading.given(loaded, template))
    pairs, count = compared.pairs(least, most)
    common = compared.mostly_common()
    page = html.plain_page(
        "similarity.html.j2",
        title=loaded.title,
        pairs=pairs,
        count=count,
        here=len(here),
        before=len(before),
        least=least,
        common=[one.label for one in common],
    )
    write_text(out, page)
    if pairs:
        terminal.console().print(_table(pairs[:MAX_LISTED]))
    told = f"{counted(count, 'pair')} of {counted(len(here), 'submission')}"
    told += f" and {len(before)} of earlier years" if before else ""
    told += f" share {least} % or more of their own code"
    click.echo(f"{told}; a person must judge: {out}")
    if common:
        click.echo(
            f"look at {counted(len(common), 'submission')} more, named on the page: nearly all of "
            "their code is what many have in common, which does not count in pairs"
        )


def _table(pairs: Sequence[Pair]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("submission", overflow="fold")
    shown.add_column("shared", justify="right", no_wrap=True)
    shown.add_column("submission", overflow="fold")
    shown.add_column("shared", justify="right", no_wrap=True)
    for pair in pairs:
        cells = [
            cell
            for side in pair.sides
            for cell in (Text(terminal.clean(side.program.label)), f"{side.percent} %")
        ]
        shown.add_row(*cells)
    return shown
