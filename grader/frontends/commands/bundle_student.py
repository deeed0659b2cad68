"""``grader bundle student``: the archive for students."""

from __future__ import annotations

from pathlib import Path

import click

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.frontends.commands.exit_status import reports_errors
from grader.frontends.commands.options import find_rubric
from grader.frontends.gradescope.bundle import template_name
from grader.frontends.student import bundle
from grader.reports.files import write_bytes


@click.command("student")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
              help="The archive to write (default: <assignment>.zip).")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: rubric.yaml here or above).")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N",
              help="The seed for the recorded cases; must not be the rubric's.")  # fmt: skip
@reports_errors
def student(out: Path | None, rubric: Path | None, seed: int | None) -> None:
    """Write an archive for students: template, public checks and grader, but no answers."""
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    template = loaded.path.resolve().parent / template_name(loaded.path)
    made = bundle.build(loaded, template, seed)
    target = out or Path(f"{loaded.assignment}.zip")
    write_bytes(target, made)
    click.echo(f"{target}: {len(made) / 1e6:.1f} MB; it holds no reference and no hidden seed")
